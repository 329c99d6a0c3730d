import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { relative } from 'node:path';
import picomatch from 'picomatch';
import { moduleFiles } from '../../checkpoint/fingerprint-modules.js';
import { WatchMemory } from '../../checkpoint/watch-memory.js';
import { openWorkspace, type Workspace } from '../../checkpoint/workspace.js';
import type { WavesEnd } from '../../execute/ports.js';
import type { AffectedSubtasks } from '../../execute/run-again.js';
import { RunControl } from '../../execute/run-control.js';
import type { RunEvent } from '../../model/run-event.js';
import type { ValidPlan } from '../../plan/valid-plan.js';
import { counted, figure } from '../../report/figures.js';
import { inertLine } from '../../report/inert.js';
import type { LoadedPlan, PlanOptions, SelectionOptions } from '../plan-options.js';
import { prepareFromOptions } from '../plan-options.js';
import { runPlan } from '../run-plan.js';
import type { OpenRun, RunSession } from '../run-session.js';
import { hashOfFile, isAsSeen, isIn, type PlanFiles, pathIn, planFiles } from './changes.js';
import { LiveRun } from './live-run.js';
import { SelfFeeding } from './self-feeding.js';
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
const MOST_FAILURES = 5;

/** What sets off a round. */
interface Cause {
  readonly text: string;
  readonly force: boolean;
  /** The files that changed, absolute; absent where more may have changed than is known. */
  readonly files?: readonly string[];
}

/** What a round came to so far. */
interface RoundTally {
  ran: number;
  failed: number;
  upToDate: number;
  told: number;
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
  /** Folders of outputs in which there are inputs after all, by what the items are. */
  readonly #read = new Set<string>();
  #loaded: LoadedPlan;
  #files: PlanFiles;
  #isInput: (path: string) => boolean = () => false;
  #isOutput: (path: string) => boolean = () => false;
  #watcher: Watcher | undefined;
  #control: RunControl | undefined;
  /** Whether what runs will look at every task. */
  #looksAtAll = false;
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
        isIn(stateDir, path) ||
        /\/(?:\.git|node_modules|\.waveplan)(?:\/|$)/.test(path) ||
        this.#files.ownFolders.some((own) => !this.#read.has(own) && isIn(own, path)),
      onEvent: (path, isNew) => this.#onEvent(path, isNew),
      onRest: (rest) => this.#onRest(rest),
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
    this.#watcher?.changed(file);
  }

  /** Whether a change of this file can change what the plan would do. */
  #counts(file: string, isNew: boolean): boolean {
    if (this.#files.plan.has(file) || this.#files.modules.has(file)) return true;
    const path = pathIn(this.#workspace.folder, file) ?? file;
    const { memory } = this.#run;
    const read = memory.isRead(path);
    if (!read && (!isNew || this.#isOutput(path) || !this.#isInput(path))) return false;
    // What the plan itself wrote, and a save that changed nothing.
    return !isAsSeen(file, memory.seen.get(path));
  }

  #onRest({ atOnce, more }: Rest): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    const files: string[] = [];
    for (const [file, isNew] of changed) {
      if (!atOnce && !this.#counts(file, isNew)) continue;
      if (this.#isLookedAtLater(file)) this.#changed.set(file, isNew);
      else files.push(file);
    }
    if (files.length > 0 && !this.#quit) this.#changesCame(files, more);
  }

  /** Whether what runs will yet come to everything that has this file among its inputs, so that it need not start anew. */
  #isLookedAtLater(file: string): boolean {
    if (this.#control === undefined || !this.#looksAtAll) return false;
    if (this.#files.plan.has(file) || this.#files.modules.has(file)) return false;
    const { memory } = this.#run;
    const readers = [...memory.readersOf(pathIn(this.#workspace.folder, file) ?? file).keys()];
    return readers.length === 0 ? memory.lookedAt.size === 0 : !readers.some((task) => memory.lookedAt.has(task));
  }

  #changesCame(files: readonly string[], more: boolean): void {
    const { say } = this.#given;
    const running = this.#control !== undefined;
    const times = new Map<string, number>();
    for (const file of files.slice(0, MOST_LOOKED_AT)) {
      const status = statSync(file, { throwIfNoEntry: false });
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
    const others = files.length > 1 ? ` and ${counted(files.length - 1, 'more file')}` : '';
    this.#want({ text: `${first}${others} changed`, force: false, ...(!more && { files }) });
  }

  #cycleText(file: string): string {
    const path = pathIn(this.#workspace.folder, file) ?? file;
    const readers = [...this.#run.memory.readersOf(path).keys()];
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
    const { say } = this.#given;
    const affected = cause.force ? undefined : this.#affectedBy(cause.files);
    const tally: RoundTally = { ran: 0, failed: 0, upToDate: 0, told: 0 };
    if (this.#live !== undefined && affected !== undefined) {
      if (await this.#goOn(this.#live, { affected, cause, tally })) return true;
      return this.#runAll(cause, tally);
    }
    const { load } = this.#given;
    const fresh = this.#round === 0 ? this.#loaded : load();
    if (fresh === undefined) {
      say('The plan has mistakes: nothing runs until it is changed again');
      return true;
    }
    this.#loaded = fresh;
    this.#files = this.#filesOf(fresh.plan);
    this.#watcher?.setRoots(this.#files.roots);
    this.#beginRound();
    this.#announce(cause);
    return this.#runAll(cause, tally);
  }

  #beginRound(): void {
    this.#round += 1;
    this.#run.memory.begin();
    this.#ran = { from: Date.now(), to: Number.POSITIVE_INFINITY };
  }

  #announce({ text }: Cause): void {
    this.#given.say(`Round ${this.#round}: ${text}`);
  }

  /** The subtasks that have these files among their inputs; undefined where more is affected, such as a list of items. */
  #affectedBy(files: readonly string[] | undefined): AffectedSubtasks | undefined {
    if (files === undefined) return undefined;
    const affected = new Map<string, Set<number> | 'all'>();
    for (const file of files) {
      if (this.#files.plan.has(file) || this.#files.modules.has(file) || !existsSync(file)) return undefined;
      const readers = this.#run.memory.readersOf(pathIn(this.#workspace.folder, file) ?? file);
      if (readers.size === 0) return undefined;
      for (const [task, subtasks] of readers) {
        const before = affected.get(task);
        if (subtasks === 'all' || before === 'all') affected.set(task, 'all');
        else affected.set(task, new Set([...(before ?? []), ...subtasks]));
      }
    }
    return affected;
  }

  /** Runs what is affected in the run that there is. false: it takes a run of its own. */
  async #goOn(
    live: LiveRun,
    { affected, cause, tally }: { readonly affected: AffectedSubtasks; readonly cause: Cause; readonly tally: RoundTally },
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
      this.#tell(event, tally);
    };
    const end = await live.again({ affected, control, onEvent, onStarted });
    onStarted();
    this.#control = undefined;
    this.#ran = { ...this.#ran, to: Date.now() };
    if (end === undefined) return false;
    this.#tellEnd(end, { ...tally, upToDate: Math.max(0, live.subtasks - tally.ran) });
    return true;
  }

  async #runAll({ force }: Cause, tally: RoundTally): Promise<boolean> {
    const { say, options } = this.#given;
    await this.#closeLive();
    const { compiled, newCalibration } = await prepareFromOptions(this.#loaded, options, () => {});
    const control = this.#beginControl(true);
    const first = this.#run.backup === undefined;
    const done = await runPlan(compiled, {
      confirmed: 'flag',
      planShown: true,
      cwd: options.cwd,
      stateDir: options.stateDir,
      newCalibration,
      keepGoing: options.keepGoing,
      failFast: options.failFast,
      force,
      session: this.#run,
      control,
      onEvent: (event) => this.#tell(event, tally),
    });
    this.#control = undefined;
    this.#ran = { ...this.#ran, to: Date.now() };
    if (!done.ok) {
      say(`waveplan: ${done.error.message}\n  ${done.error.hint}`);
      return false;
    }
    if (first) say(`Wave 0: ${backupText(this.#run.backup?.mode)} Made once: it holds for all rounds of this session`);
    const { end, folder } = done.value;
    await this.#keepLive(end);
    this.#watchWhatIsRead();
    this.#tellEnd(end, tally);
    await this.#keepFew(folder);
    // What was left to the run to look at may have changed after that.
    this.#onRest({ atOnce: false, more: false });
    return true;
  }

  #beginControl(looksAtAll: boolean): RunControl {
    const control = new RunControl();
    this.#control = control;
    this.#looksAtAll = looksAtAll;
    // Whoever asked while this was being prepared found nothing to stop.
    if (this.#quit || this.#wanted !== undefined) control.abort({ status: 'stopped', reason: 'stopped' });
    return control;
  }

  #tellEnd(end: WavesEnd, { ran, failed, upToDate }: RoundTally): void {
    const { say } = this.#given;
    const { from, to } = this.#ran;
    const took = `${figure(Math.max(1, to - from))} ms`;
    const counts = `${figure(ran)} ran, ${figure(failed)} failed, ${figure(upToDate)} up to date`;
    say(`Round ${this.#round} ${end.status === 'stopped' ? 'was stopped' : end.status}: ${counts} (${took})`);
    if (end.status !== 'done' && end.status !== 'stopped') say(`waveplan: ${inertLine(end.reason)}`);
  }

  #watchWhatIsRead(): void {
    for (const own of this.#files.ownFolders) {
      const path = pathIn(this.#workspace.folder, own) ?? own;
      if (this.#read.has(own) || !this.#run.memory.readsIn(path)) continue;
      this.#read.add(own);
      this.#watcher?.add(own);
    }
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

  #tell(event: RunEvent, tally: RoundTally): void {
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
