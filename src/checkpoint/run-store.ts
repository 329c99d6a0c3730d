import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contentHash, NAME_PATTERN, taskOfSubtask } from '../model/ids.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import type { Backup, RunStatus } from '../model/run-event.js';
import { writeFileAtomic } from './atomic-file.js';
import type { VoidedRecords } from './finished-index.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { readStateJson, readStateText } from './state-file.js';
import { isObjectId, locatedPath, storedPath } from './stored-path.js';

/**
 * What a run was and how it ended: `manifest.json`. Fields that come later in a run are absent until then. Paths are
 * absolute here; in the file, those that move with the project are relative to the state folder.
 */
export interface RunManifest {
  readonly version: 1;
  readonly run: string;
  readonly plan: { readonly name: string; readonly file: string };
  /** Where the work was done. */
  readonly folder: string;
  readonly params: JsonObject;
  /** Params that are masked because their values hold a secret; by name, the variable whose value it is as a whole, or null. */
  readonly secretParams?: JsonObject;
  /** The part of the plan that ran, as the command line asked for it; absent where it was all of it. */
  readonly selection?: {
    readonly only?: readonly string[];
    readonly until?: readonly string[];
    readonly filter?: readonly string[];
  };
  /** ISO 8601, UTC. */
  readonly created: string;
  /** waveplan's version. */
  readonly waveplan: string;
  /** Node's version. */
  readonly node: string;
  readonly methodologyHash: string;
  /** Absent until wave 0 is done. */
  readonly backup?: Backup;
  /** The tasks with their hashes, by which a resume tells which of them changed; includes and params have a part in them. */
  readonly tasks?: JsonObject;
  /** The modules of the plan with hashes of their code, by which a resume tells which of them changed. */
  readonly modules?: JsonObject;
  /** The run whose task started this one, and under whose lock it works. */
  readonly within?: string;
  /** What the command line asked for beyond the plan, in the words of whoever started it; a resume asks for it again. */
  readonly asked?: JsonObject;
  /** Each time that the run was resumed, the first one first. */
  readonly resumes?: readonly RunResume[];
  /** Absent while the run goes on, and for ever in a run that was killed. */
  readonly end?: { readonly status: RunStatus; readonly reason: string; readonly ended: string };
}

/** A run that goes on: when, and which records count no more since. */
export interface RunResume extends VoidedRecords {
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A run found in the state folder. */
export interface RunEntry {
  readonly run: string;
  readonly runDir: string;
}

const MANIFEST = 'manifest.json';
/** The entries of `asked` that are paths. */
const ASKED_PATHS: ReadonlySet<string> = new Set(['methodology', 'checkpointFiles']);
const RUN_STATUSES: readonly string[] = ['done', 'failed', 'stopped', 'broken'] satisfies RunStatus[];

/** Stores what is about to run: the plan's source and the first manifest. The run's folder must exist (`prepareState`). */
export async function createRun(
  runDir: string,
  planText: string,
  manifest: RunManifest,
): Promise<Result<void, EnvironmentProblem>> {
  const stored = await writeRunFile(runDir, 'plan.yaml', planText);
  return stored.ok ? writeManifest(runDir, manifest) : stored;
}

/** A file that the plan of a run includes. */
export interface StoredInclude {
  /** Absolute, where it was when the run began. */
  readonly file: string;
  readonly text: string;
}

const INCLUDES = 'includes.json';

/** Stores the files that a plan includes; nothing where there are none. */
export async function saveIncludes(
  runDir: string,
  includes: readonly StoredInclude[],
): Promise<Result<void, EnvironmentProblem>> {
  if (includes.length === 0) return ok(undefined);
  const stored = includes.map(({ file, text }) => ({ file: storedPath(stateDirOf(runDir), file), text }));
  return writeRunFile(runDir, INCLUDES, `${JSON.stringify(stored, null, 2)}\n`);
}

/** The files that the plan of a run included. */
export async function readIncludes(runDir: string): Promise<Result<readonly StoredInclude[], EnvironmentProblem>> {
  const path = join(runDir, INCLUDES);
  try {
    const value = await readStateJson(path);
    if (value === undefined) return err(damaged(path, 'it is not JSON'));
    const isInclude = isObjectOf({ file: isText, text: isText });
    if (Array.isArray(value) && value.every(isInclude)) {
      const includes = value as unknown as readonly StoredInclude[];
      return ok(includes.map(({ file, text }) => ({ file: locatedPath(stateDirOf(runDir), file), text })));
    }
    return err(damaged(path, 'it is not a list of files'));
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? ok([]) : err(systemProblem(`read ${path}`, error));
  }
}

/** Replaces the manifest as a whole; a reader sees the old one or the new one. */
export function writeManifest(runDir: string, manifest: RunManifest): Promise<Result<void, EnvironmentProblem>> {
  const stored = mapPaths(manifest, (path) => storedPath(stateDirOf(runDir), path));
  return writeRunFile(runDir, MANIFEST, `${JSON.stringify(stored, null, 2)}\n`);
}

/** `<state folder>/runs/<run>` is the folder of a run. */
function stateDirOf(runDir: string): string {
  return dirname(dirname(runDir));
}

function mapPaths(manifest: RunManifest, map: (path: string) => string): RunManifest {
  const { plan, folder, asked } = manifest;
  const changed = Object.entries(asked ?? {}).map(([key, value]): [string, JsonValue] => [
    key,
    ASKED_PATHS.has(key) && typeof value === 'string' ? map(value) : value,
  ]);
  return {
    ...manifest,
    plan: { ...plan, file: map(plan.file) },
    folder: map(folder),
    ...(asked && { asked: Object.fromEntries(changed) }),
  };
}

/** Stores a report of a run, such as `report.json`. */
export function writeReportFile(runDir: string, name: string, text: string): Promise<Result<void, EnvironmentProblem>> {
  return writeRunFile(runDir, name, text);
}

async function writeRunFile(runDir: string, name: string, text: string): Promise<Result<void, EnvironmentProblem>> {
  const path = join(runDir, name);
  try {
    await writeFileAtomic(path, text, { sync: true });
    return ok(undefined);
  } catch (error) {
    return err(systemProblem(`write ${path}`, error));
  }
}

/** Stores what a subtask said, in `logs/`, and returns the file's path. A later attempt's log replaces an earlier one's. */
export async function saveLog(runDir: string, subtaskId: string, text: string): Promise<Result<string, EnvironmentProblem>> {
  const path = join(runDir, 'logs', logFileName(subtaskId));
  try {
    await writeFile(path, text);
    return ok(path);
  } catch (error) {
    return err(systemProblem(`write the log ${path}`, error));
  }
}

/** The subtask's own id where that is safe as a file's name; else a readable part of it and a hash. */
export function logFileName(subtaskId: string): string {
  if (NAME_PATTERN.test(taskOfSubtask(subtaskId))) return `${subtaskId}.log`;
  return `${subtaskId.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)}~${contentHash(subtaskId)}.log`;
}

/**
 * All runs in a state folder, the oldest first: run ids sort by time. None where there is no state yet. A folder without a
 * manifest is of a run that was ended before it began.
 */
export async function listRuns(stateDir: string): Promise<Result<readonly RunEntry[], EnvironmentProblem>> {
  const runsDir = join(stateDir, 'runs');
  try {
    const entries = await readdir(runsDir, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
    const runs = folders.sort().map((run) => ({ run, runDir: join(runsDir, run) }));
    return ok(runs.filter(({ runDir }) => existsSync(join(runDir, MANIFEST))));
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? ok([]) : err(systemProblem(`list the runs in ${runsDir}`, error));
  }
}

/**
 * Stores that a run goes on, before it does: first which records count no more, then the plan that it goes on with. In the
 * other order, a crash in between would leave a plan that seems unchanged, and outdated records that seem to count.
 */
export async function resumeRun(
  runDir: string,
  planText: string,
  manifest: RunManifest,
): Promise<Result<void, EnvironmentProblem>> {
  const stored = await writeManifest(runDir, manifest);
  return stored.ok ? writeRunFile(runDir, 'plan.yaml', planText) : stored;
}

/** The plan that a run went by, as text. */
export async function readRunPlan(runDir: string): Promise<Result<string, EnvironmentProblem>> {
  const path = join(runDir, 'plan.yaml');
  try {
    const text = await readStateText(path);
    return text === undefined ? err(damaged(path, 'it is not UTF-8 text')) : ok(text);
  } catch (error) {
    return err(systemProblem(`read ${path}`, error));
  }
}

/** Reads a run's manifest back. */
export async function readManifest(runDir: string): Promise<Result<RunManifest, EnvironmentProblem>> {
  const path = join(runDir, MANIFEST);
  let value: JsonValue | undefined;
  try {
    value = await readStateJson(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return err(systemProblem(`read ${path}`, error));
    return err({
      message: `${runDir} holds no run: ${MANIFEST} is missing`,
      hint: `name another run: they are in ${dirname(runDir)}`,
    });
  }
  if (value === undefined) return err(damaged(path, 'it is not JSON'));
  const wrong = wrongField(value);
  // Every field was looked at, so the value has the type; the compiler cannot follow that through the table.
  if (wrong !== undefined) return err(damaged(path, wrong));
  return ok(mapPaths(value as unknown as RunManifest, (stored) => locatedPath(stateDirOf(runDir), stored)));
}

function damaged(path: string, what: string): EnvironmentProblem {
  return {
    message: `${path} is damaged: ${what}`,
    hint: `name another run, or remove the folder of this one; its checkpoints are in wave<N>.ndjson`,
  };
}

type Check = (value: JsonValue | undefined) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isObjectOf =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isJsonObject(value) &&
    Object.entries(checks).every(([key, check]) => check(Object.hasOwn(value, key) ? value[key] : undefined));
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isOneOf =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const is =
  (...expected: readonly JsonValue[]): Check =>
  (value) =>
    value !== undefined && expected.includes(value);

const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isNumbers: Check = (value) => isJsonObject(value) && Object.values(value).every((number) => typeof number === 'number');

// They become arguments of git.
const isCommit: Check = (value) => isObjectId(value);
const isRef: Check = (value) => typeof value === 'string' && /^refs\/waveplan\/(?!.*(\.\.|@\{|\/\/))[\w./-]+$/.test(value);
const isBackup = isOneOf(
  isObjectOf({ mode: is('none') }),
  isObjectOf({ mode: is('commit'), commit: isCommit, created: is(true, false), branch: isText }),
  isObjectOf({ mode: is('ref'), commit: isCommit, ref: isRef }),
);

const MANIFEST_CHECKS: Readonly<Record<keyof RunManifest, Check>> = {
  version: is(1),
  run: isText,
  plan: isObjectOf({ name: isText, file: isText }),
  folder: isText,
  params: isObjectOf({}),
  secretParams: isOptional(isObjectOf({})),
  selection: isOptional(isObjectOf({})),
  created: isText,
  waveplan: isText,
  node: isText,
  methodologyHash: isText,
  backup: isOptional(isBackup),
  tasks: isOptional(isObjectOf({})),
  modules: isOptional(isObjectOf({})),
  within: isOptional(isText),
  asked: isOptional(isObjectOf({})),
  resumes: isOptional(isListOf(isObjectOf({ at: isText, tasks: isListOf(isText), ends: isNumbers }))),
  end: isOptional(isObjectOf({ status: is(...RUN_STATUSES), reason: isText, ended: isText })),
};

function wrongField(value: JsonValue): string | undefined {
  if (!isJsonObject(value)) return 'it is not an object';
  if (Object.hasOwn(value, 'version') && value['version'] !== 1) return 'it was written by another version of waveplan';
  const wrong = Object.entries(MANIFEST_CHECKS).find(
    ([key, check]) => !check(Object.hasOwn(value, key) ? value[key] : undefined),
  );
  return wrong === undefined ? undefined : `its field ${wrong[0]} is missing or wrong`;
}
