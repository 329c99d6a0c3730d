import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { WatchMemory } from '../../checkpoint/watch-memory.js';
import { openWorkspace, type Workspace } from '../../checkpoint/workspace.js';
import type { WavesEnd } from '../../execute/ports.js';
import type { AffectedSubtasks } from '../../execute/run-again.js';
import { RunControl } from '../../execute/run-control.js';
import type { RunEvent } from '../../model/run-event.js';
import { counted } from '../../report/figures.js';
import type { LoadedPlan, PlanOptions, SelectionOptions } from '../plan-options.js';
import { prepareFromOptions } from '../plan-options.js';
import { runPlan } from '../run-plan.js';
import type { OpenRun, RunSession } from '../run-session.js';
import { LiveRun } from './live-run.js';
import { RoundReport } from './round-report.js';
import { RoundTimes } from './round-times.js';
import { SelfFeeding } from './self-feeding.js';
import { WatchedPlan } from './watched-plan.js';
import { type Rest, Watcher } from './watcher.js';

/** What a session is told, and whom it tells. */
export interface SessionOptions {
  readonly options: PlanOptions & SelectionOptions & { readonly keepGoing?: boolean; readonly failFast?: boolean };
  /** Reads the plan again; mistakes are printed, and undefined means that there were some. */
  readonly load: () => LoadedPlan | undefined;
  readonly say: (line: string) => void;
}

/** Runs that are kept beside the first, which has the session's backup. */
const KEPT_RUNS = 3;

/** Rounds of a plan that seems to feed itself, in case that a user saved the file; the first after RETRY_MS, each later by a factor of 4. */
const MOST_RETRIES = 3;
const RETRY_MS = 1000;

/** Folders in which only what is named is watched. */
const IGNORED: ReadonlySet<string> = new Set(['.git', 'node_modules', '.waveplan']);

/** What sets off a round. */
interface Cause {
  readonly text: string;
  readonly force: boolean;
  /** The files that changed, absolute; absent where more may have changed than is known. */
  readonly files?: readonly string[];
}

/** Runs a plan, and what is affected of it again whenever its files change, until it is told to quit. */
export class WatchSession {
  readonly #given: SessionOptions;
  readonly #workspace: Workspace;
  readonly #run: RunSession = {
    memory: new WatchMemory(),
    index: undefined,
    backup: undefined,
    keep: (run) => {
      this.#kept = run;
    },
  };
  /** What the last run had open; its executor is to be closed. */
  #kept: OpenRun | undefined;
  #live: LiveRun | undefined;
  readonly #feeding = new SelfFeeding();
  /** Changed files, and whether they are new. */
  readonly #changed = new Map<string, boolean>();
  readonly #folders: string[] = [];
  #loaded: LoadedPlan;
  readonly #watched: WatchedPlan;
  #watcher: Watcher | undefined;
  #control: RunControl | undefined;
  /** Whether what runs will look at every task. */
  #looksAtAll = false;
  #wanted: Cause | undefined = { text: 'the first run', force: false };
  #wake: () => void = () => {};
  #round = 0;
  readonly #times = new RoundTimes();
  #quit = false;
  /** The round that ran once more because of files that seemed to feed the plan. */
  #retry: { readonly round: number; readonly files: readonly string[]; readonly left: number } = { round: 0, files: [], left: 0 };
  /** The wait for the lock was announced. */
  #toldWait = false;

  constructor(loaded: LoadedPlan, given: SessionOptions) {
    this.#given = given;
    this.#loaded = loaded;
    const { cwd, stateDir } = given.options;
    this.#workspace = openWorkspace({ planFile: loaded.plan.file, cwd, stateDir });
    this.#watched = new WatchedPlan(loaded.plan, this.#workspace.folder, this.#run.memory);
  }

  get plan(): LoadedPlan {
    return this.#loaded;
  }

  /** Resolves when the session was told to quit and everything has ended; false: a run could not take place. */
  async go(): Promise<boolean> {
    const { say } = this.#given;
    const { stateDir, gitRoot } = this.#workspace;
    this.#watcher = new Watcher({
      roots: this.#watched.roots,
      gitRoot,
      ignored: (path) => path === stateDir || IGNORED.has(basename(path)),
      onEvent: (path, isNew) => this.#onEvent(path, isNew),
      onRest: (rest) => this.#onRest(rest),
      onError: (message) => say(`watch: ${message}`),
    });
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
      await this.#closeLive();
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
    const before = this.#wanted;
    const files = before === undefined ? cause.files : before.files && cause.files && [...before.files, ...cause.files];
    this.#wanted = { text: cause.text, force: cause.force || before?.force === true, ...(files && { files }) };
    this.#control?.abort({ status: 'stopped', reason: cause.text });
    this.#wake();
  }

  #onEvent(file: string, isNew: boolean): void {
    if (!this.#watched.mayCount(file, isNew)) return;
    this.#changed.set(file, isNew || this.#changed.get(file) === true);
    this.#watcher?.changed(file, isNew);
  }

  #onRest({ atOnce, more }: Rest): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    const files: string[] = [];
    for (const [file, isNew] of changed) {
      if (!atOnce && !this.#watched.counts(file, isNew)) continue;
      if (this.#isLookedAtLater(file)) this.#changed.set(file, isNew);
      else files.push(file);
    }
    if (files.length > 0 && !this.#quit) this.#changesCame(files, more);
  }

  /** Whether a running round need not start again for this file: it will read it yet, or wrote it. */
  #isLookedAtLater(file: string): boolean {
    if (this.#control === undefined) return false;
    if (this.#watched.isOutput(file)) return true;
    if (!this.#looksAtAll) return false;
    if (this.#watched.isCode(file)) return false;
    const { memory } = this.#run;
    const readers = [...this.#watched.readersOf(file).keys()];
    return readers.length === 0 ? memory.lookedAt.size === 0 : !readers.some((task) => memory.lookedAt.has(task));
  }

  #changesCame(files: readonly string[], more: boolean): void {
    const { say } = this.#given;
    const own = this.#times.own(files);
    const { round, files: retried, left } = this.#retry;
    if (round === this.#round && files.every((file) => retried.includes(file) && own.has(file))) {
      this.#retryLater(files, left);
      return;
    }
    const fed = this.#feeding.next(own, () => true, this.#round);
    if (fed.length > 0) {
      this.#feeding.reset();
      for (const file of fed) say(this.#cycleText(file));
      say('The plan feeds itself: stopped after 3 rounds. Name the file under outputs, or take it out of inputs; r runs again');
      this.#retryLater(fed, MOST_RETRIES);
      return;
    }
    const first = this.#watched.shown(files[0] ?? '');
    const others = files.length > 1 ? ` and ${counted(files.length - 1, 'more file')}` : '';
    this.#want({ text: `${first}${others} changed`, force: false, ...(!more && { files }) });
  }

  /** A user who saves a file in three rounds in a row looks like a plan that feeds itself: a few more rounds, ever later. */
  #retryLater(files: readonly string[], left: number): void {
    if (left === 0) {
      for (const file of files) this.#watched.take(file);
      return;
    }
    const wait = RETRY_MS * 4 ** (MOST_RETRIES - left);
    setTimeout(() => {
      if (this.#quit) return;
      this.#retry = { round: this.#round + 1, files, left: left - 1 };
      this.#want({ text: `${this.#watched.shown(files[0] ?? '')} changed, once more`, force: false, files });
    }, wait).unref();
  }

  #cycleText(file: string): string {
    const readers = [...this.#watched.readersOf(file).keys()];
    const by = readers.length === 0 ? 'the plan' : readers.join(', ');
    return `Cycle: ${by} reads ${this.#watched.shown(file)}, and a run of the plan writes it again`;
  }

  /** False where the run could not take place at all. */
  async #runRound(cause: Cause): Promise<boolean> {
    const { say } = this.#given;
    const affected = cause.force ? undefined : this.#watched.affectedBy(cause.files);
    const report = new RoundReport(say);
    if (this.#live !== undefined && affected !== undefined) {
      if (await this.#goOn(this.#live, { affected, cause, report })) return true;
      return this.#runAll(cause, report);
    }
    const { load } = this.#given;
    const fresh = this.#round === 0 ? this.#loaded : load();
    if (fresh === undefined) {
      say('The plan has mistakes: nothing runs until it is changed again');
      return true;
    }
    this.#loaded = fresh;
    this.#watched.become(fresh.plan);
    this.#watcher?.setRoots(this.#watched.roots);
    this.#beginRound();
    this.#announce(cause);
    return this.#runAll(cause, report);
  }

  #beginRound(): void {
    this.#round += 1;
    this.#run.memory.begin();
    this.#times.begin();
  }

  #take(event: RunEvent, report: RoundReport): void {
    report.take(event);
    this.#times.take(event);
  }

  #endRound(isCutShort: boolean): void {
    this.#control = undefined;
    this.#times.end(isCutShort);
    this.#feeding.ended((file) => this.#times.isOwn(file));
  }

  #announce({ text }: Cause): void {
    this.#given.say(`Round ${this.#round}: ${text}`);
  }

  /** Runs what is affected in the run that there is. false: it takes a run of its own. */
  async #goOn(
    live: LiveRun,
    { affected, cause, report }: { readonly affected: AffectedSubtasks; readonly cause: Cause; readonly report: RoundReport },
  ): Promise<boolean> {
    this.#beginRound();
    const control = this.#beginControl(false);
    let announced = false;
    // When threads are at work: until then, every write would be waited for.
    const onStarted = () => {
      if (!announced) this.#announce(cause);
      announced = true;
    };
    const onEvent = (event: RunEvent) => {
      if (event.type === 'warning' || event.type === 'subtask-finished') onStarted();
      this.#take(event, report);
    };
    const end = await live.again({ affected, control, onEvent, onStarted });
    onStarted();
    this.#endRound(end === undefined || end.status === 'stopped');
    if (end === undefined) return false;
    report.tellEnd(this.#round, end, this.#times.tookMs, Math.max(0, live.subtasks - report.ran));
    this.#lookAfterRound();
    return true;
  }

  #tellWait(holder: string): void {
    if (!this.#toldWait) this.#given.say(`Waiting for ${holder}, which works with the same state folder`);
    this.#toldWait = true;
  }

  async #runAll(cause: Cause, report: RoundReport): Promise<boolean> {
    const { say, options } = this.#given;
    await this.#closeLive();
    const { compiled, newCalibration } = await prepareFromOptions(this.#loaded, options, () => {});
    const control = this.#beginControl(true);
    const first = this.#run.backup === undefined;
    const lockWait = { ms: Number.POSITIVE_INFINITY, onWait: (holder: string) => this.#tellWait(holder) };
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
      lockWait,
      onEvent: (event) => this.#take(event, report),
    });
    this.#endRound(!done.ok || done.value.end.status === 'stopped');
    if (!done.ok) {
      // Changes during the wait for the lock are added to this one.
      if (control.stopReason !== undefined) this.#want(cause);
      else say(`waveplan: ${done.error.message}\n  ${done.error.hint}`);
      return control.stopReason !== undefined;
    }
    this.#toldWait = false;
    if (first) say(`Wave 0: ${backupText(this.#run.backup?.mode)} Made once: it holds for all rounds of this session`);
    const { end, folder } = done.value;
    await this.#keepLive(end);
    report.tellEnd(this.#round, end, this.#times.tookMs);
    await this.#keepFew(folder);
    this.#lookAfterRound();
    return true;
  }

  /** Files that were left to the round, or that it read for the first time, may have changed since. */
  #lookAfterRound(): void {
    this.#watcher?.addFiles(this.#watched.takeNewlyRead());
    const torn = this.#watched.torn();
    if (torn.length > 0 && !this.#quit) this.#changesCame(torn, false);
    // A round that was cut short leaves outputs half written, and runs again.
    if (this.#wanted === undefined) this.#onRest({ atOnce: false, more: false });
  }

  #beginControl(looksAtAll: boolean): RunControl {
    const control = new RunControl();
    this.#control = control;
    this.#times.work();
    this.#looksAtAll = looksAtAll;
    // Whoever asked while this was being prepared found nothing to stop.
    if (this.#quit || this.#wanted !== undefined) control.abort({ status: 'stopped', reason: 'stopped' });
    return control;
  }

  /** Keeps what the run has open, where later rounds can go on with it. */
  async #keepLive(end: WavesEnd): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    const { index, memory } = this.#run;
    if (LiveRun.canGoOn(kept, end)) this.#live = new LiveRun(kept, memory, () => index?.isCurrent() === true);
    else await kept.ports.executor.close();
  }

  async #closeLive(): Promise<void> {
    const live = this.#live;
    this.#live = undefined;
    await live?.close();
  }

  /** An hour of saves must not fill the disk: of a session, the first run and the last few are kept. */
  async #keepFew(folder: string): Promise<void> {
    this.#folders.push(folder);
    if (this.#folders.length <= KEPT_RUNS + 1) return;
    const [old] = this.#folders.splice(1, 1);
    if (old !== undefined) await rm(old, { recursive: true, force: true }).catch(() => undefined);
  }
}

function backupText(mode: string | undefined): string {
  return mode === undefined || mode === 'none' ? 'no backup, as the plan says.' : 'the backup is made.';
}
