import { rm, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import picomatch from 'picomatch';
import { moduleFiles } from '../../checkpoint/fingerprint-modules.js';
import { WatchMemory } from '../../checkpoint/up-to-date.js';
import { openWorkspace, type Workspace } from '../../checkpoint/workspace.js';
import { RunControl } from '../../execute/run-control.js';
import type { RunEvent } from '../../model/run-event.js';
import type { ValidPlan } from '../../plan/valid-plan.js';
import { counted, figure } from '../../report/figures.js';
import { inertLine } from '../../report/inert.js';
import type { LoadedPlan, PlanOptions, SelectionOptions } from '../plan-options.js';
import { prepareFromOptions } from '../plan-options.js';
import { runPlan } from '../run-plan.js';
import type { RunSession } from '../run-session.js';
import { hashOfFile, isAsSeen, type PlanFiles, pathIn, planFiles } from './changes.js';
import { SelfFeeding } from './self-feeding.js';
import { Watcher } from './watcher.js';

/** What a session is told, and whom it tells. */
export interface SessionOptions {
  readonly options: PlanOptions & SelectionOptions & { readonly keepGoing?: boolean; readonly failFast?: boolean };
  /** Reads the plan again; mistakes are printed, and undefined means that there were some. */
  readonly load: () => LoadedPlan | undefined;
  readonly say: (line: string) => void;
}

/** Runs that are kept beside the first, which has the session's backup. */
const KEPT_RUNS = 3;
const MOST_FAILURES = 5;

/** What sets off a round. */
interface Cause {
  readonly text: string;
  readonly force: boolean;
}

/** Runs a plan, and what is affected of it again whenever its files change, until it is told to quit. */
export class WatchSession {
  readonly #given: SessionOptions;
  readonly #workspace: Workspace;
  readonly #run: RunSession = { memory: new WatchMemory(), index: undefined, backup: undefined };
  readonly #feeding = new SelfFeeding();
  /** Changed files, and whether they are new. */
  readonly #changed = new Map<string, boolean>();
  readonly #folders: string[] = [];
  #loaded: LoadedPlan;
  #files: PlanFiles;
  #isInput: (path: string) => boolean = () => false;
  #isOutput: (path: string) => boolean = () => false;
  #watcher: Watcher | undefined;
  #control: RunControl | undefined;
  #wanted: Cause | undefined = { text: 'the first run', force: false };
  #wake: () => void = () => {};
  #round = 0;
  /** When the round before ran, in milliseconds since the epoch. */
  #ran = { from: 0, to: 0 };
  #quit = false;

  constructor(loaded: LoadedPlan, given: SessionOptions) {
    this.#given = given;
    this.#loaded = loaded;
    const { cwd, stateDir } = given.options;
    this.#workspace = openWorkspace({ planFile: loaded.plan.file, cwd, stateDir });
    this.#files = this.#filesOf(loaded.plan);
  }

  get plan(): LoadedPlan {
    return this.#loaded;
  }

  /** Resolves when the session was told to quit and everything has ended; false: a run could not take place. */
  async go(): Promise<boolean> {
    const { say } = this.#given;
    const { stateDir, gitRoot } = this.#workspace;
    this.#watcher = new Watcher({
      roots: this.#files.roots,
      gitRoot,
      ignored: (path) =>
        path === stateDir || path.startsWith(`${stateDir}/`) || /\/(?:\.git|node_modules|\.waveplan)(?:\/|$)/.test(path),
      onEvent: (path, isNew) => this.#onEvent(path, isNew),
      onRest: () => this.#onRest(),
      onError: (message) => say(`watch: ${message}`),
    });
    await this.#watcher.ready();
    try {
      for (;;) {
        const cause = this.#wanted;
        this.#wanted = undefined;
        if (this.#quit) return true;
        if (cause === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        if (!(await this.#runRound(cause)) && this.#round === 1) return false;
        if (!this.#quit && this.#wanted === undefined) say('Waiting for changes');
      }
    } finally {
      await this.#watcher.close();
    }
  }

  /** Runs again: with `force` everything, else what is not up to date, such as what failed. */
  again(cause: Cause): void {
    this.#feeding.reset();
    this.#want(cause);
  }

  /** Ends the session, and what runs. */
  quit(reason: string): void {
    this.#quit = true;
    this.#control?.abort({ status: 'stopped', reason });
    this.#wake();
  }

  #want(cause: Cause): void {
    this.#wanted = { text: cause.text, force: cause.force || this.#wanted?.force === true };
    this.#control?.abort({ status: 'stopped', reason: cause.text });
    this.#wake();
  }

  #filesOf(plan: ValidPlan): PlanFiles {
    const { folder } = this.#workspace;
    const modules = plan.tasks.flatMap(({ work }) => (work.kind === 'module' ? moduleFiles(work.file) : []));
    const files = planFiles(plan, modules, folder);
    const matcher = (patterns: readonly string[]) =>
      patterns.length === 0 ? () => false : picomatch([...patterns], { dot: true });
    this.#isInput = matcher(files.inputs);
    this.#isOutput = matcher(files.outputs);
    return files;
  }

  #onEvent(file: string, isNew: boolean): void {
    if (!this.#counts(file, isNew)) return;
    this.#changed.set(file, isNew);
    this.#watcher?.changed();
  }

  /** Whether a change of this file can change what the plan would do. */
  #counts(file: string, isNew: boolean): boolean {
    if (this.#files.plan.has(file) || this.#files.modules.has(file)) return true;
    const path = pathIn(this.#workspace.folder, file) ?? file;
    const { memory } = this.#run;
    const read = memory.readers.has(path);
    if (!read && (!isNew || this.#isOutput(path) || !this.#isInput(path))) return false;
    // What the plan itself wrote, and a save that changed nothing.
    return !isAsSeen(file, memory.seen.get(path));
  }

  #onRest(): void {
    const files = [...this.#changed].flatMap(([file, isNew]) => (this.#counts(file, isNew) ? [file] : []));
    this.#changed.clear();
    if (files.length === 0 || this.#quit) return;
    void this.#changesCame(files);
  }

  async #changesCame(files: readonly string[]): Promise<void> {
    const { say } = this.#given;
    const running = this.#control !== undefined;
    const times = new Map<string, number>();
    for (const file of files.slice(0, MOST_LOOKED_AT)) {
      const status = await stat(file).catch(() => undefined);
      times.set(file, status === undefined ? Date.now() : Math.max(status.mtimeMs, status.ctimeMs));
    }
    const { from, to } = this.#ran;
    const own = (file: string) => {
      const at = times.get(file);
      return at !== undefined && at >= from && (running || at <= to);
    };
    const fed = this.#feeding.next(files, own);
    if (fed.length > 0) {
      this.#feeding.reset();
      for (const file of fed) say(this.#cycleText(file));
      for (const file of fed) this.#take(file);
      say('The plan feeds itself: stopped after 3 rounds. Name the file under outputs, or take it out of inputs; r runs again');
      return;
    }
    const first = this.#shown(files[0] ?? '');
    const more = files.length > 1 ? ` and ${counted(files.length - 1, 'more file')}` : '';
    this.#want({ text: `${first}${more} changed`, force: false });
  }

  #cycleText(file: string): string {
    const path = pathIn(this.#workspace.folder, file) ?? file;
    const readers = [...(this.#run.memory.readers.get(path) ?? [])];
    const by = readers.length === 0 ? 'the plan' : readers.join(', ');
    return `Cycle: ${by} reads ${inertLine(path)}, and a run of the plan writes it again`;
  }

  /** The file's content is taken for known, so that it sets nothing off until it changes again. */
  #take(file: string): void {
    const path = pathIn(this.#workspace.folder, file) ?? file;
    this.#run.memory.seen.set(path, hashOfFile(file));
  }

  #shown(file: string): string {
    return inertLine(relative(this.#workspace.folder, file));
  }

  /** False where the run could not take place at all. */
  async #runRound(cause: Cause): Promise<boolean> {
    const { load, say, options } = this.#given;
    const fresh = this.#round === 0 ? this.#loaded : load();
    if (fresh === undefined) {
      say('The plan has mistakes: nothing runs until it is changed again');
      return true;
    }
    this.#loaded = fresh;
    this.#files = this.#filesOf(fresh.plan);
    this.#watcher?.setRoots(this.#files.roots);
    this.#round += 1;
    say(`Round ${this.#round}: ${cause.text}`);
    this.#run.memory.begin();
    const { compiled, newCalibration } = await prepareFromOptions(fresh, options, () => {});
    const control = new RunControl();
    this.#control = control;
    const tally = { ran: 0, failed: 0, upToDate: 0, told: 0 };
    const from = Date.now();
    this.#ran = { from, to: Number.POSITIVE_INFINITY };
    const first = this.#run.backup === undefined;
    // Whoever asked while this was being prepared found nothing to stop.
    if (this.#quit || this.#wanted !== undefined) control.abort({ status: 'stopped', reason: 'stopped' });
    const done = await runPlan(compiled, {
      confirmed: 'flag',
      planShown: true,
      cwd: options.cwd,
      stateDir: options.stateDir,
      newCalibration,
      keepGoing: options.keepGoing,
      failFast: options.failFast,
      force: cause.force,
      session: this.#run,
      control,
      onEvent: (event) => this.#tell(event, tally),
    });
    this.#control = undefined;
    this.#ran = { from, to: Date.now() };
    if (!done.ok) {
      say(`waveplan: ${done.error.message}\n  ${done.error.hint}`);
      return false;
    }
    if (first) say(`Wave 0: ${backupText(this.#run.backup?.mode)} Made once: it holds for all rounds of this session`);
    const { end, folder } = done.value;
    const took = `${figure(Math.max(1, this.#ran.to - from))} ms`;
    const counts = `${figure(tally.ran)} ran, ${figure(tally.failed)} failed, ${figure(tally.upToDate)} up to date`;
    say(`Round ${this.#round} ${end.status === 'stopped' ? 'was stopped' : end.status}: ${counts} (${took})`);
    if (end.status !== 'done' && end.status !== 'stopped') say(`waveplan: ${inertLine(end.reason)}`);
    await this.#keepFew(folder);
    return true;
  }

  #tell(event: RunEvent, tally: { ran: number; failed: number; upToDate: number; told: number }): void {
    const { say } = this.#given;
    if (event.type === 'warning') say(`watch: ${inertLine(event.message)}`);
    if (event.type === 'subtasks-finished') tally.ran += event.count;
    if (event.type === 'subtasks-up-to-date') tally.upToDate += event.count;
    if (event.type !== 'subtask-finished') return;
    const { checkpoint, resumed } = event;
    if (resumed === 'up-to-date') tally.upToDate += 1;
    else tally.ran += 1;
    if (checkpoint.status === 'success') return;
    tally.failed += 1;
    if (tally.told++ < MOST_FAILURES) say(`FAILED ${checkpoint.task_id}: ${inertLine(checkpoint.error?.message ?? '')}`);
  }

  /** An hour of saves must not fill the disk: of a session, the first run and the last few are kept. */
  async #keepFew(folder: string): Promise<void> {
    this.#folders.push(folder);
    if (this.#folders.length <= KEPT_RUNS + 1) return;
    const [old] = this.#folders.splice(1, 1);
    if (old !== undefined) await rm(old, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Of thousands of changed files, so many are asked whether a run of the plan changed them. */
const MOST_LOOKED_AT = 100;

function backupText(mode: string | undefined): string {
  return mode === undefined || mode === 'none' ? 'no backup, as the plan says.' : 'the backup is made.';
}
