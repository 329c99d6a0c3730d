import { statSync } from 'node:fs';
import { endLeftovers } from '../../actions/leftovers.js';
import { EventLog } from '../../checkpoint/event-log.js';
import { waveFile } from '../../checkpoint/journal.js';
import { currentHolder } from '../../checkpoint/lock.js';
import { LockAgain } from '../../checkpoint/lock-again.js';
import { readWave } from '../../checkpoint/read-journal.js';
import { type RunManifest, writeManifest } from '../../checkpoint/run-store.js';
import type { WatchMemory } from '../../checkpoint/watch-memory.js';
import { ExecutorStartError } from '../../execute/executor.js';
import type { WavesEnd } from '../../execute/ports.js';
import { type AffectedSubtasks, type AgainEnd, canRunAgain, runAgain } from '../../execute/run-again.js';
import type { RunControl } from '../../execute/run-control.js';
import { checkWave } from '../../execute/wave-check.js';
import type { RunEvent } from '../../model/run-event.js';
import { saveReports } from '../finish-run.js';
import { readRunRecord } from '../run-record.js';
import type { OpenRun } from '../run-session.js';

/** What a further round of a live run is given. */
export interface LiveRound {
  readonly affected: AffectedSubtasks;
  readonly control: RunControl;
  readonly onEvent: (event: RunEvent) => void;
  /** Told whenever work was handed out: there is a moment to spare. */
  readonly onStarted: () => void;
}

/** What the part of a run has open that is made of further rounds. */
interface RunPart {
  readonly lock: LockAgain;
  readonly log: EventLog;
  readonly manifest: RunManifest;
}

/** Subtasks beyond which a round is worth a run of its own, with all that follows a run's pace. */
const MOST_AFFECTED = 500;

/**
 * A run that goes on while its files are watched: a change of a few inputs is a few more checkpoints of it, written where the
 * others are, by threads that are warm. To the records it is a run that was resumed once, and whose last part takes as long as the
 * session: the last checkpoint of a subtask counts. What a run writes once, its manifest and its reports, is written when the
 * first further round begins, and when the run is closed.
 *
 *     kept ──first round──▶ goes on ──closed──▶ over
 *       └──────closed───────────────────────────▲
 */
export class LiveRun {
  readonly #run: OpenRun;
  readonly #memory: WatchMemory;
  readonly #isIndexCurrent: () => boolean;
  #affected = new Map<string, ReadonlySet<number> | 'all'>();
  #unsettled = new Set<string>();
  #part: RunPart | undefined;
  #end: WavesEnd = { status: 'done', reason: '' };
  #begun = 0;
  #agents: number | undefined;

  /** @param isIndexCurrent whether nobody else wrote to the index of what is up to date. */
  constructor(run: OpenRun, memory: WatchMemory, isIndexCurrent: () => boolean) {
    this.#run = run;
    this.#memory = memory;
    this.#isIndexCurrent = isIndexCurrent;
  }

  /** Whether rounds can go on with a run that ended like that. */
  static canGoOn({ options, sinks }: OpenRun, end: WavesEnd): boolean {
    return (end.status === 'done' || end.status === 'failed') && sinks.journal.problem === undefined && canRunAgain(options);
  }

  /** Runs what is affected, and what depends on it. undefined: it takes a run of its own, which finds what was done. */
  async again(round: LiveRound): Promise<WavesEnd | undefined> {
    const affected = merged(this.#affected, round.affected);
    if (isTooMuch(affected)) return undefined;
    const part = this.#part ?? (await this.#begin());
    if (part === undefined || !part.lock.take()) return undefined;
    try {
      if (!this.#isIndexCurrent() || !this.#isAsLeft()) return undefined;
      const end = await this.#round({ ...round, affected });
      if (end.kind === 'other-items') return undefined;
      this.#affected = end.kind === 'cut-short' ? merged(affected, end.asked) : new Map();
      this.#unsettled = end.kind === 'cut-short' ? new Set([...this.#unsettled, ...end.ran]) : new Set();
      this.#end = end.end;
      return end.end;
    } finally {
      part.lock.release();
    }
  }

  async #round({ affected, control, onEvent, onStarted }: LiveRound): Promise<AgainEnd> {
    const { options, ports, state, sinks } = this.#run;
    const emit = (raw: RunEvent) => {
      const event = sinks.record(raw);
      if (isForTheLog(event)) this.#part?.log.record(event);
      onEvent(event);
    };
    // What the run came to: to decide takes as long as many small rounds.
    this.#agents ??= ports.decide(state.counts, state.probes).decided.agents;
    const agents = this.#agents;
    try {
      return await runAgain(options, { ...ports, control, emit }, state, {
        affected,
        unsettled: this.#unsettled,
        hadEffect: (task) => this.#memory.affected.has(task),
        agents,
        onStarted,
        written: async (wave) => {
          const written = await sinks.journal.flushWave(wave);
          return written.ok ? undefined : written.error.message;
        },
      });
    } catch (error) {
      if (!(error instanceof ExecutorStartError)) throw error;
      return { kind: 'cut-short', end: { status: 'broken', reason: error.message }, asked: affected, ran: new Set() };
    }
  }

  /** Subtasks that are neither left out nor in a task that was skipped. */
  get subtasks(): number {
    return this.#counts().finished;
  }

  #counts(): { readonly finished: number; readonly failed: number } {
    const { state, sinks } = this.#run;
    let [all, failed] = [-skippedSubtasks(sinks.skips.values()).length, 0];
    for (const count of state.counts.values()) all += count;
    for (const { size } of state.failed.values()) failed += size;
    return { finished: Math.max(0, all), failed };
  }

  /** Ends the run, with its records as they are now. */
  async close(): Promise<void> {
    const { place, ports, sinks } = this.#run;
    await ports.executor.close();
    await endLeftovers(place.run);
    await sinks.settle();
    const part = this.#part;
    this.#part = undefined;
    if (part === undefined) return;
    try {
      // Another run may have the state folder; only a resume of this one would write the same records.
      const { workspace, run } = this.#run.place;
      const isTaken = !part.lock.take() && (await currentHolder(workspace.stateDir))?.purpose === `run ${run}`;
      if (!isTaken && this.#isAsLeft()) await this.#finish(part.log, part.manifest);
      await part.log.close();
    } finally {
      part.lock.release();
      await part.lock.discard();
    }
  }

  async #finish(log: EventLog, manifest: RunManifest): Promise<void> {
    const { ports, options, state, place } = this.#run;
    const { runDir } = place;
    const at = ports.clock.now();
    for (const skip of this.#run.sinks.skips.values()) log.record({ ...skip, at });
    for (const { number, name, nodes } of options.waves) {
      const skipped = skippedSubtasks(this.#run.sinks.skips.values()).filter(({ wave }) => wave === number).length;
      const expected = nodes.reduce((sum, { index }) => sum + (state.counts.get(index) ?? 1), 0) - skipped;
      const tally = await readWave(runDir, number);
      const { distinct = 0, failed = 0 } = tally.ok ? tally.value : {};
      const check = checkWave(expected, { recorded: distinct, failed }, options.majorShare);
      log.record({ type: 'wave-started', at: this.#begun, wave: number, name, agents: 1, threads: 1, subtasks: expected });
      log.record({ type: 'wave-finished', at, wave: number, durationMs: at - this.#begun, check });
    }
    const { status, reason } = this.#end;
    log.record({ type: 'run-finished', at, status, reason, durationMs: at - this.#begun });
    await log.close();
    const record = await readRunRecord(runDir);
    if (record.ok) await Promise.all(saveReports(runDir, record.value.summary).map(({ saving }) => saving));
    await writeManifest(runDir, { ...manifest, end: { status, reason, ended: new Date(at).toISOString() } });
  }

  /** From now on the records are those of a run that goes on. undefined where that cannot be. */
  async #begin(): Promise<RunPart | undefined> {
    const { place, manifest, sinks, started, ports } = this.#run;
    const { workspace, run, runDir } = place;
    const now = ports.clock.now();
    const lock = await LockAgain.prepare(workspace.stateDir, { purpose: `run ${run}`, now });
    if (!lock.ok) return undefined;
    const ends = sinks.journal.ends;
    const going = { ...manifest, resumes: [{ at: new Date(now).toISOString(), tasks: [], ends }] };
    if (!lock.value.take()) return undefined;
    try {
      if (!this.#isAsLeft() || !(await writeManifest(runDir, going)).ok) return undefined;
      const log = new EventLog(runDir);
      // Nothing was predicted of what a user would save.
      log.record({ ...started, at: now, predictedSeconds: undefined });
      if (manifest.backup !== undefined) log.record({ type: 'backup-made', at: now, durationMs: 0, backup: manifest.backup });
      const { finished, failed } = this.#counts();
      log.record({ type: 'run-resumed', at: now, run, finished, failed, failedRunAgain: true, outdated: [], leftovers: 0 });
      this.#begun = now;
      this.#part = { lock: lock.value, log, manifest: going };
      return this.#part;
    } finally {
      lock.value.release();
      if (this.#part === undefined) await lock.value.discard();
    }
  }

  /** Whether nobody else has gone on with the run, or taken its records away. */
  #isAsLeft(): boolean {
    const { sinks, place } = this.#run;
    return Object.entries(sinks.journal.ends).every(
      ([wave, end]) => statSync(waveFile(place.runDir, Number(wave)), { throwIfNoEntry: false })?.size === end,
    );
  }
}

/** Of what was skipped, single subtasks: a task that was skipped as a whole has none. */
function skippedSubtasks(skips: Iterable<Skip>): readonly Skip[] {
  return [...skips].filter(({ task, subtask }) => task !== subtask);
}

type Skip = Extract<RunEvent, { type: 'subtask-skipped' }>;

function merged(a: AffectedSubtasks, b: AffectedSubtasks): Map<string, ReadonlySet<number> | 'all'> {
  const all = new Map(a);
  for (const [task, subtasks] of b) {
    const before = all.get(task);
    if (before === undefined) all.set(task, subtasks);
    else all.set(task, before === 'all' || subtasks === 'all' ? 'all' : new Set([...before, ...subtasks]));
  }
  return all;
}

function isTooMuch(affected: AffectedSubtasks): boolean {
  let subtasks = 0;
  for (const some of affected.values()) if (some !== 'all') subtasks += some.size;
  return subtasks > MOST_AFFECTED;
}

function isForTheLog({ type }: RunEvent): boolean {
  return type === 'warning' || type === 'records-dropped' || type === 'subtask-retried' || type === 'failure-assessed';
}
