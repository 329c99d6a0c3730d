import type { TaskNode, Wave } from '../graph/task-graph.js';
import { Dispatcher } from './dispatcher.js';
import { finallyTasks } from './finally-tasks.js';
import { DONE, type RunWavesOptions, type RunWavesPorts, type WavesEnd } from './ports.js';
import type { ExpandedTask, RunState } from './run-state.js';
import { checkWave, endOfCheck, failuresEnd } from './wave-check.js';

/** Subtasks by their task's name. 'all': which of them is not known. */
export type AffectedSubtasks = ReadonlyMap<string, ReadonlySet<number> | 'all'>;

/** What may have to run again, and what is asked about it. */
export interface AgainOptions {
  /** By task: the subtasks of which an input changed. */
  readonly affected: AffectedSubtasks;
  /** Tasks of which something ran in a round before, after which those that need them were not looked at. */
  readonly unsettled: ReadonlySet<string>;
  /** Whether something of the task ran in this round that may have changed anything for others. */
  readonly hadEffect: (task: string) => boolean;
  /** Makes sure that a wave's checkpoints are written; why they cannot be, else. */
  readonly written: (wave: number) => Promise<string | undefined>;
  readonly agents: number;
  /** Told whenever work was handed out: there is a moment to spare. */
  readonly onStarted?: () => void;
}

/** How another round on the same run ended. */
export type AgainEnd =
  | { readonly kind: 'over'; readonly end: WavesEnd }
  /** Not every wave was looked at: what was to run, and the tasks after which others were to be looked at. */
  | {
      readonly kind: 'cut-short';
      readonly end: WavesEnd;
      readonly asked: AffectedSubtasks;
      readonly ran: ReadonlySet<string>;
    }
  /** Fan-outs have other items now: what ran is recorded, the rest takes a run of its own. */
  | { readonly kind: 'other-items' };

const HOLD_MS = 8;

/** Whether the graph is one of which single subtasks can be run again: pairs need the run that they began in. */
export function canRunAgain({ graph }: Pick<RunWavesOptions, 'graph'>): boolean {
  return graph.nodes.every(({ task }) => task.foreach?.kind !== 'each');
}

/**
 * Runs, of a run whose waves are over, what a change affects and what depends on that, wave by wave, and looks at nothing
 * else: the time that it takes follows the change and not the plan.
 *
 *     a task     a task that it needs had an effect ──▶ each of its subtasks is looked at
 *                some of its inputs changed, or some failed before ──▶ those are looked at
 *                else ──▶ stays as it is
 *
 * What is looked at runs unless it is up to date.
 */
export async function runAgain(
  run: RunWavesOptions,
  ports: RunWavesPorts,
  state: RunState,
  options: AgainOptions,
): Promise<AgainEnd> {
  state.goOn(ports);
  const round = new AgainRound(run, ports, state, options);
  const outcome = await round.waves();
  if (outcome.kind === 'other-items') return outcome;
  const last = await finallyTasks(run, ports, state);
  return outcome.end.status === 'done' ? { ...outcome, end: last } : outcome;
}

class AgainRound {
  readonly #run: RunWavesOptions;
  readonly #ports: RunWavesPorts;
  readonly #state: RunState;
  readonly #options: AgainOptions;
  /** Positions of tasks after which those that need them are to be looked at. */
  readonly #spreading = new Set<number>();
  readonly #asked = new Map<string, ReadonlySet<number> | 'all'>();

  constructor(run: RunWavesOptions, ports: RunWavesPorts, state: RunState, options: AgainOptions) {
    this.#run = run;
    this.#ports = ports;
    this.#state = state;
    this.#options = options;
  }

  async waves(): Promise<AgainEnd> {
    const { control } = this.#ports;
    for (const wave of this.#run.waves) {
      const end = control.stopReason ?? (await this.#wave(wave)) ?? control.stopReason;
      if (end === 'other-items') return { kind: end };
      if (end !== undefined) return { kind: 'cut-short', end, asked: this.#asked, ran: this.#ran() };
    }
    return { kind: 'over', end: failuresEnd(this.#failures(this.#run.waves)) ?? DONE };
  }

  async #wave(wave: Wave): Promise<Exclude<WavesEnd, { status: 'done' }> | 'other-items' | undefined> {
    const { executor, layout, control } = this.#ports;
    const { number, nodes } = wave;
    const tasks: ExpandedTask[] = [];
    for (const node of nodes) {
      const task = this.#lookAt(node);
      if (task === 'other-items') return task;
      if (task !== undefined) tasks.push(task);
    }
    const open = tasks.filter(({ work }) => openOf(work) > 0);
    for (const { work } of open) this.#asked.set(work.task.id, work.only === undefined ? 'all' : new Set(work.only));
    if (open.length > 0) {
      const subtasks = open.reduce((sum, { work }) => sum + openOf(work), 0);
      const agents = Math.max(1, Math.min(this.#options.agents, subtasks));
      await executor.open(
        layout(
          agents,
          open.map(({ work }) => work.task),
        ),
      );
      const dispatcher = new Dispatcher(agents, this.#state.dispatcherPorts());
      for (const task of tasks) this.#state.dispatch(dispatcher, task);
      const running = dispatcher.run();
      this.#options.onStarted?.();
      // What is over at once is not to wait for whatever else the change of a file sets off in this thread.
      if (subtasks === 1) executor.hold?.(HOLD_MS);
      const { complete } = await running;
      for (const [position, { work }] of tasks.entries()) {
        const tally = dispatcher.tallies[position];
        if (tally !== undefined) this.#state.taskOver(work.task, tally);
      }
      const unwritten = await this.#options.written(number);
      if (unwritten !== undefined) return { status: 'broken', reason: unwritten };
      if (!complete) return control.stopReason;
    }
    for (const node of nodes) if (this.#options.hadEffect(node.task.id)) this.#spreading.add(node.index);
    return this.#check(wave);
  }

  /** A task as far as it has to run; undefined where it does not, because of what it needs. */
  #lookAt(node: TaskNode): ExpandedTask | 'other-items' | undefined {
    const { task, needs, index } = node;
    const { expanded, failed, results } = this.#state;
    const before = expanded.get(index);
    const mustLook = needs.some((need) => this.#spreading.has(need) || this.#isUnsettled(need));
    // What comes after it is looked at as well: it may read what the task before it wrote.
    if (mustLook) this.#spreading.add(index);
    const stateBefore = results.state(task.id);
    const skip = this.#state.skipOf(node);
    const isSkipped = !skip.ok || skip.value !== undefined;
    const wasSkipped = stateBefore === 'skipped' || stateBefore === 'left-out';
    if (before === undefined || wasSkipped || isSkipped) return this.#begin(node, isSkipped && wasSkipped);
    if (mustLook && this.#state.hasOtherItems(before)) return 'other-items';
    // What needs nothing and names no inputs runs in each round, to look.
    const looks = task.inputs === undefined && needs.length === 0;
    const { count } = before.work;
    const affected = this.#options.affected.get(task.id) ?? [];
    if (mustLook || looks || affected === 'all') return this.#state.again(before, range(count), { readAnew: mustLook });
    const some = new Set([...affected, ...(failed.get(index) ?? [])]);
    return this.#state.again(before, [...some].filter((one) => one < count).sort(ascending), { readAnew: false });
  }

  #begin(node: TaskNode, isAsBefore: boolean): ExpandedTask | undefined {
    if (!isAsBefore) this.#spreading.add(node.index);
    const begun = this.#state.begin(node, 0);
    if (begun.ok) return begun.value;
    this.#state.tellNotBegun(node, begun.error);
    return undefined;
  }

  #isUnsettled(need: number): boolean {
    return this.#options.unsettled.has(this.#run.graph.nodes[need]?.task.id ?? '');
  }

  #ran(): ReadonlySet<string> {
    return new Set([...this.#spreading].flatMap((index) => this.#run.graph.nodes[index]?.task.id ?? []));
  }

  /** As a run would find it: failures of earlier rounds that still stand count as well. */
  #check(wave: Wave): Exclude<WavesEnd, { status: 'done' }> | undefined {
    const { majorShare, failure } = this.#run;
    const expected = wave.nodes.reduce((sum, { index }) => sum + (this.#state.counts.get(index) ?? 1), 0);
    const check = checkWave(expected, { recorded: expected, failed: this.#failures([wave]) }, majorShare);
    return endOfCheck(wave.number, check, failure);
  }

  #failures(waves: readonly Wave[]): number {
    const { expanded, failed, results } = this.#state;
    let sum = 0;
    for (const { nodes } of waves) {
      for (const { index, task } of nodes) {
        if (expanded.has(index)) sum += failed.get(index)?.size ?? 0;
        else if (results.state(task.id) === 'failed') sum += 1;
      }
    }
    return sum;
  }
}

function openOf({ only, count, finished }: ExpandedTask['work']): number {
  return only?.length ?? count - (finished?.count ?? 0);
}

function* range(count: number): Generator<number, void, undefined> {
  for (let index = 0; index < count; index++) yield index;
}

function ascending(a: number, b: number): number {
  return a - b;
}
