import { EVENTS_FILE } from '../checkpoint/event-log.js';
import { appendHistory } from '../checkpoint/history-store.js';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { type RunManifest, writeManifest, writeReportFile } from '../checkpoint/run-store.js';
import { removeStaleFiles } from '../checkpoint/stale-files.js';
import type { WavesEnd } from '../execute/ports.js';
import type { Clock } from '../model/clock.js';
import type { Result } from '../model/result.js';
import { inertJson } from '../report/inert.js';
import { toReportJson } from '../report/report-json.js';
import { renderMarkdown } from '../report/report-markdown.js';
import type { RunSummary } from '../report/run-summary.js';
import { historyKey } from '../scaling/history.js';
import { fingerprintOf } from '../scaling/machine.js';
import type { CompiledPlan } from './compile-plan.js';
import { packageVersion } from './package-version.js';
import type { RunPlace } from './run-place.js';
import { readRunRecord } from './run-record.js';
import type { RunSinks } from './run-sinks.js';

/** A run that took place, however it ended. */
export interface RunResult {
  readonly run: string;
  /** Where its records are. */
  readonly folder: string;
  readonly end: WavesEnd;
  readonly summary: RunSummary;
  /** The records that could not be written, or not in whole, such as 'report.md' or 'checkpoints'; each with a warning. */
  readonly unsaved: readonly string[];
}

/** What a run that ends has. */
interface EndingRun {
  readonly compiled: CompiledPlan;
  readonly place: RunPlace;
  readonly clock: Clock;
  readonly sinks: RunSinks;
  /** As it stands, without the end. */
  readonly manifest: RunManifest;
  /** Where each checkpoint has a file of its own; undefined: nowhere. */
  readonly checkpointFiles: string | undefined;
}

/** Tells of the run's end, and saves all that is known only now. What cannot be saved is warned of, and changes nothing else. */
export async function finishRun(unmasked: WavesEnd, ending: EndingRun): Promise<RunResult> {
  const { place, clock, sinks } = ending;
  const { run, runDir, timeLine, mask } = place;
  const end = { ...unmasked, reason: mask.text(unmasked.reason) };
  const { status, reason } = end;
  const { observed } = sinks.summary;
  const at = clock.now();
  sinks.emit({ type: 'run-finished', at, status, reason, durationMs: clock.now() - timeLine.epochMs, observed });
  const summary = await summaryOf(ending);
  const unsaved = sinks.journal.problem === undefined ? [] : ['checkpoints'];
  for (const { name, saving } of startSaving(end, summary, ending)) {
    const saved = await saving;
    if (saved.ok) continue;
    unsaved.push(name);
    sinks.tell({ type: 'warning', at: clock.now(), message: mask.text(saved.error.message) });
  }
  if (place.soFar !== undefined && ending.checkpointFiles !== undefined) await removeStaleFiles(ending.checkpointFiles, runDir);
  return { run, folder: runDir, end, summary, unsaved };
}

/**
 * The summary of what the run told, or, of a resume that ended before it came to all waves, of its records: it did not tell what
 * earlier parts did in the other waves.
 */
async function summaryOf({ place: { runDir, soFar }, sinks }: EndingRun): Promise<RunSummary> {
  const told = sinks.summary.result();
  if (soFar === undefined || told.waves.every(({ durationMs }) => durationMs !== undefined)) return told;
  await sinks.eventLog.close();
  const record = await readRunRecord(runDir);
  return record.ok ? record.value.summary : told;
}

/** A record on its way to the disk. */
export interface Saving {
  readonly name: string;
  readonly saving: Promise<Result<void, EnvironmentProblem>>;
}

function startSaving(
  end: WavesEnd,
  summary: RunSummary,
  { compiled, place, clock, sinks, manifest }: EndingRun,
): readonly Saving[] {
  const { workspace, runDir, soFar } = place;
  const ended = new Date(clock.now()).toISOString();
  const fingerprint = fingerprintOf(compiled.machine, packageVersion());
  // Waves of which a part was done earlier tell nothing of what a whole one takes.
  const isWhole = soFar === undefined && sinks.skipped === 0;
  const lessons = isWhole ? sinks.lessons.records(summary, historyKey(fingerprint, compiled.machine), ended) : [];
  return [
    { name: 'manifest.json', saving: writeManifest(runDir, { ...manifest, end: { ...end, ended } }) },
    { name: EVENTS_FILE, saving: sinks.eventLog.close() },
    { name: 'history.ndjson', saving: appendHistory(workspace.stateDir, lessons) },
    ...saveReports(runDir, summary),
  ];
}

/** Writes a run's reports; each is on its way at once. */
export function saveReports(runDir: string, summary: RunSummary): readonly Saving[] {
  const reports = { 'report.json': `${inertJson(toReportJson(summary), 2)}\n`, 'report.md': renderMarkdown(summary) };
  return Object.entries(reports).map(([name, text]) => ({ name, saving: writeReportFile(runDir, name, text) }));
}
