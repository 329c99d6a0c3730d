import { longestPaths } from '../graph/longest-paths.js';
import type { TaskNode } from '../graph/task-graph.js';
import { taskCondition } from '../plan/conditions.js';
import { tasksReadBy } from '../plan/expressions.js';
import { Dispatcher } from './dispatcher.js';
import { followCapacity } from './follow-capacity.js';
import { DONE, type RunWavesOptions, type RunWavesPorts, type WavesEnd } from './ports.js';
import type { ExpandedTask, RunState } from './run-state.js';
import { endOfCheck, failuresEnd, waveCheck } from './wave-check.js';

/** What a task of which nothing is known is taken to last, in milliseconds, where paths are compared. */
const UNKNOWN_MS = 1000;

/** What is left of a wave, of which tasks are over in any order. */
interface OpenWave {
  nodesLeft: number;
  startedAt: number | undefined;
  /** Subtasks that must have a checkpoint. */
  expected: number;
}

/**
 * Runs every task as soon as what it needs is over, of those that are ready the one with the longest path behind it first
 * (Graham's list scheduling, with the priorities of Hu's algorithm). A wave is then only the name of a depth: it starts with
 * its first task, ends with its last, and is checked like any other.
 */
export class EagerRunner {
  readonly #options: RunWavesOptions;
  readonly #ports: RunWavesPorts;
  readonly #state: RunState;
  readonly #waves: readonly OpenWave[];
  readonly #needsLeft: number[];
  readonly #priorities: readonly number[];
  readonly #byPosition: ExpandedTask[] = [];
  readonly #begun = new Set<TaskNode>();
  readonly #checks: Promise<void>[] = [];
  #dispatcher: Dispatcher | undefined;
  #end: WavesEnd | undefined;

  constructor(options: RunWavesOptions, ports: RunWavesPorts, state: RunState) {
    this.#options = options;
    this.#ports = ports;
    this.#state = state;
    const { nodes } = options.graph;
    this.#waves = options.waves.map(({ nodes: { length } }) => ({ nodesLeft: length, startedAt: undefined, expected: 0 }));
    this.#needsLeft = nodes.map(({ needs }) => needs.length);
    this.#priorities = longestPaths(nodes, ({ task }) => ports.expectedMs?.(task) ?? UNKNOWN_MS);
  }

  async run(): Promise<WavesEnd> {
    const { control, decide, layout, executor } = this.#ports;
    const { nodes } = this.#options.graph;
    if (control.stopReason !== undefined) return control.stopReason;
    const agents = decide(this.#state.counts, this.#state.probes).decided.agents;
    const room = layout(
      agents,
      nodes.map(({ task }) => task),
    );
    await executor.open(room);
    const dispatcher = new Dispatcher(agents, {
      ...this.#state.dispatcherPorts(),
      passOf: 'task',
      onTaskOver: (position) => this.#taskOver(position),
    });
    this.#dispatcher = dispatcher;
    for (const node of nodes) if (node.needs.length === 0) this.#activate(node);
    const wanted = () => decide(this.#state.counts, this.#state.probes).decided.agents;
    const unfollow = room.elsewhere === true ? followCapacity(dispatcher, this.#ports, { wave: 1, wanted }) : undefined;
    const { complete } = await dispatcher.run();
    unfollow?.();
    await Promise.all(this.#checks);
    if (this.#end !== undefined) return this.#end;
    if (!complete && control.stopReason !== undefined) return control.stopReason;
    return control.stopReason ?? failuresEnd(this.#state.failures) ?? DONE;
  }

  /** Everything that the task waited for is over, or begun where it follows item by item. */
  #activate(first: TaskNode): void {
    // No recursion: a chain of tasks that are skipped, or over at once, may be as long as the plan.
    const open = [first];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      this.#waveStarts(node);
      const task = this.#begin(node);
      if (task === undefined) {
        open.push(...this.#nodeOver(node));
        continue;
      }
      if (task.expanded) this.#decideAgain(node.depth);
      const position = this.#dispatch(task);
      if (task.work.count === 0) {
        this.#takeDown(position);
        open.push(...this.#nodeOver(node));
      }
      open.push(...this.#pairsOf(node));
    }
  }

  #begin(node: TaskNode): ExpandedTask | undefined {
    const begun = this.#state.begin(node, this.#priorities[node.index] ?? 0);
    if (begun.ok) return begun.value;
    const wave = this.#waves[node.depth - 1];
    if (wave !== undefined && begun.error.kind === 'failed') wave.expected += 1;
    this.#state.tellNotBegun(node, begun.error);
    return undefined;
  }

  #dispatch(task: ExpandedTask): number {
    if (this.#dispatcher === undefined) throw new Error('Internal error: nothing is running');
    this.#byPosition.push(task);
    this.#begun.add(task.node);
    return this.#state.dispatch(this.#dispatcher, task);
  }

  /** Tasks that follow this one item by item need no more of it than that it was begun. */
  #pairsOf(node: TaskNode): readonly TaskNode[] {
    const { nodes } = this.#options.graph;
    return node.dependents.flatMap((index) => {
      const dependent = nodes[index];
      return dependent !== undefined && isPair(dependent, node) && this.#metNeed(index) ? [dependent] : [];
    });
  }

  #metNeed(index: number): boolean {
    const left = (this.#needsLeft[index] ?? 0) - 1;
    this.#needsLeft[index] = left;
    return left === 0;
  }

  /** A size is known now that was not: the decision is taken again for all that is to come. */
  #decideAgain(wave: number): void {
    const { decide, clock, emit, executor, layout } = this.#ports;
    const decision = decide(this.#state.counts, this.#state.probes);
    emit({ type: 'decision-taken', at: clock.now(), wave, decision });
    const from = this.#dispatcher?.agents ?? 1;
    const to = decision.decided.agents;
    if (to === from) return;
    const tasks = this.#options.graph.nodes.map(({ task }) => task);
    const room = layout(Math.max(from, to), tasks);
    // Where no room can be made, work goes on with the agents that there are.
    executor.open(room).then(
      () => {
        emit({ type: 'agents-changed', at: clock.now(), wave, from, to, reason: decision.decided.reason });
        this.#dispatcher?.resize(to);
      },
      () => {},
    );
  }

  #taskOver(position: number): void {
    const node = this.#byPosition[position]?.node;
    this.#takeDown(position);
    if (node !== undefined) for (const next of this.#nodeOver(node)) this.#activate(next);
  }

  #takeDown(position: number): void {
    const task = this.#byPosition[position];
    const tally = this.#dispatcher?.tallies[position];
    if (task === undefined || tally === undefined) return;
    this.#state.taskOver(task.work.task, tally);
    const wave = this.#waves[task.node.depth - 1];
    if (wave === undefined) return;
    wave.expected += tally.succeeded + tally.failed;
  }

  /** The dependents that nothing keeps any more. */
  #nodeOver(node: TaskNode): readonly TaskNode[] {
    const { nodes } = this.#options.graph;
    const begun = this.#begun.has(node);
    const next = node.dependents.flatMap((index) => {
      const dependent = nodes[index];
      if (dependent === undefined || (begun && isPair(dependent, node))) return [];
      return this.#metNeed(index) ? [dependent] : [];
    });
    this.#waveEnds(node.depth);
    return next;
  }

  #waveStarts({ depth }: TaskNode): void {
    const wave = this.#waves[depth - 1];
    const planned = this.#options.waves[depth - 1];
    if (wave === undefined || planned === undefined || wave.startedAt !== undefined) return;
    const { clock, emit, layout } = this.#ports;
    wave.startedAt = clock.now();
    const { counts } = this.#state;
    const agents = this.#dispatcher?.agents ?? 1;
    const tasks = planned.nodes.map(({ task }) => task);
    emit({
      type: 'wave-started',
      at: wave.startedAt,
      wave: depth,
      name: planned.name,
      agents,
      threads: layout(agents, tasks).threads,
      subtasks: planned.nodes.reduce((sum, { index }) => sum + (counts.get(index) ?? 1), 0),
    });
  }

  #waveEnds(depth: number): void {
    const wave = this.#waves[depth - 1];
    if (wave === undefined) return;
    wave.nodesLeft -= 1;
    if (wave.nodesLeft === 0) this.#checks.push(this.#check(depth, wave));
  }

  async #check(depth: number, { startedAt, expected }: OpenWave): Promise<void> {
    const { clock, emit, control } = this.#ports;
    const ended = clock.now();
    const check = await waveCheck(this.#ports, this.#options, depth, { expected });
    const durationMs = ended - (startedAt ?? ended);
    emit({ type: 'wave-finished', at: clock.now(), wave: depth, durationMs, check });
    const end = endOfCheck(depth, check, this.#options.failure);
    if (end === undefined) return;
    this.#end ??= end;
    control.drain(end);
  }
}

/** Whether a task follows another item by item; one whose `if` reads all results of the other has to wait for them. */
function isPair({ task }: TaskNode, source: TaskNode): boolean {
  if (task.foreach?.kind !== 'each' || task.foreach.task !== source.task.id) return false;
  const condition = taskCondition(task);
  return condition === undefined || !tasksReadBy(condition).includes(source.task.id);
}
