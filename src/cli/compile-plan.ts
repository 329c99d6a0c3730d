import { processEnvironment } from '../actions/kept-environment.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import { expandItems } from '../execute/expand.js';
import { layoutAgents } from '../execute/layout.js';
import { skippedByCondition, skippedByNeeds } from '../execute/leave-out.js';
import type { MeasuredWork } from '../execute/ports.js';
import type { TaskState } from '../execute/results-store.js';
import { compileGraph } from '../graph/compile-graph.js';
import { batchCount, expandsAfterWave } from '../graph/fan-out.js';
import { classifyDependencies, classifyPattern } from '../graph/shape.js';
import type { TaskGraph, TaskNode, Wave } from '../graph/task-graph.js';
import { groupWaves } from '../graph/waves.js';
import type { TaskOutline } from '../model/run-event.js';
import type { Overhead, ScalingDecision } from '../model/scaling-decision.js';
import { type SkipCause, skipReason } from '../model/skip.js';
import { taskCondition } from '../plan/conditions.js';
import type { ExpressionScope } from '../plan/expression-scope.js';
import { tasksReadBy } from '../plan/expressions.js';
import type { Methodology } from '../plan/methodology.js';
import type { TaskDefinition, ValidPlan, Work } from '../plan/valid-plan.js';
import type { OtherMachines, PlanAnalysis, WaveAnalysis } from '../report/analysis.js';
import { measuredOverhead, remoteOverhead, remoteWorkCosts, startSeconds, workCosts } from '../scaling/calibrated.js';
import type { Calibration } from '../scaling/calibration.js';
import { decideScaling, fitInput, type RequestedAgents, type ScalingInput, type ScalingPolicy } from '../scaling/decide.js';
import { predictWave } from '../scaling/fit.js';
import type { History } from '../scaling/history.js';
import { type MachineProfile, readMachine } from '../scaling/machine.js';
import type { ExpectedWork } from '../scaling/other-work.js';
import { type WhatIf, whatIf } from '../scaling/what-if.js';
import { estimateBefore, summarizeWorkload, type WorkKind } from '../scaling/workload.js';

/** A plan with its graph, its waves and the decision: everything that is known before it runs. */
export interface CompiledPlan {
  readonly plan: ValidPlan;
  readonly methodology: Methodology;
  readonly machine: MachineProfile;
  /** This machine, where the plan runs on others. */
  readonly here?: MachineProfile | undefined;
  readonly graph: TaskGraph;
  readonly waves: readonly Wave[];
  /** Where its work is done, absolute. */
  readonly folder: string;
  readonly calibration: Calibration | undefined;
  readonly history: History | undefined;
  readonly overheadSeconds: number | undefined;
  readonly policy: ScalingPolicy | undefined;
  readonly analysis: PlanAnalysis;
}

type Parts = Omit<CompiledPlan, 'analysis'>;

/** Agents that a worker has for each core where nobody says: enough for work that waits, and computation loses little by it. */
export const AGENTS_PER_CORE = 4;

/** What is known beside the plan when it is compiled; all of it may be missing. */
export interface CompileOptions {
  readonly machine?: MachineProfile;
  /** This machine, where the work will be done on others: to compare. */
  readonly here?: MachineProfile | undefined;
  /** Where the work will be done; the plan's git root, else its folder, by default. */
  readonly folder?: string | undefined;
  /** Of this machine; without one, the methodology's overhead is taken. */
  readonly calibration?: Calibration | undefined;
  /** Of this machine. */
  readonly history?: History | undefined;
  /** A user's own figure for the overhead of an agent, in seconds; beats the calibration. */
  readonly overheadSeconds?: number | undefined;
  readonly policy?: ScalingPolicy | undefined;
}

/** Compiles a valid plan for this machine. Reads the machine; writes and runs nothing. */
export function compilePlan(plan: ValidPlan, methodology: Methodology, options: CompileOptions = {}): CompiledPlan {
  const graph = compileGraph(plan);
  const { machine = readMachine(), here, calibration, history, overheadSeconds, policy } = options;
  const parts: Parts = {
    plan,
    methodology,
    machine,
    here,
    graph,
    waves: groupWaves(graph),
    folder: options.folder ?? openWorkspace({ planFile: plan.file }).folder,
    calibration: overheadSeconds === undefined ? calibration : undefined,
    history,
    overheadSeconds,
    policy,
  };
  const known = knownBefore(parts);
  return { ...parts, analysis: analyse(parts, known.counts, known.skips) };
}

/** The decision for the subtasks that are known by now, and what was measured of them, by position of their task in the graph. */
export function decideFor(
  parts: Parts,
  counts: ReadonlyMap<number, number>,
  probes?: ReadonlyMap<number, MeasuredWork>,
): ScalingDecision {
  return decideScaling(scalingInput(parts, counts, probes), parts.methodology, parts.machine);
}

/** The seconds that a wave (by its number, from 1) is predicted to take on so many agents. */
export function predictWaveFor(
  parts: Parts,
  wave: number,
  agents: number,
  counts: ReadonlyMap<number, number>,
  probes?: ReadonlyMap<number, MeasuredWork>,
): number {
  const input = scalingInput(parts, counts, probes);
  const work = input.waves[wave - 1] ?? { subtasks: 0, seconds: 0 };
  return predictWave(agents, work, fitInput(input), parts.machine).seconds;
}

/** What subtasks of a task are expected to take, by earlier runs, else by its estimate; undefined where there is neither. */
export function expectedWorkOf({ history }: Pick<Parts, 'history'>, task: TaskDefinition): ExpectedWork | undefined {
  const { seconds, usual = seconds, longest = seconds, source } = estimateBefore(task, history);
  return source === 'assumed' ? undefined : { usual, longest };
}

/** The same in the mean, in milliseconds. */
export function expectedMsOf({ history }: Pick<Parts, 'history'>, task: TaskDefinition): number | undefined {
  const { seconds, source } = estimateBefore(task, history);
  return source === 'assumed' ? undefined : 1000 * seconds;
}

/**
 * Whether a task may run in the coordinator's own thread. Commands and built-in actions may: they end when told. A module may when it is known to end, by earlier
 * runs, and nobody asked for a time-out: code that never comes back could not be ended there.
 */
export function runsInline({ history }: Pick<Parts, 'history'>, task: TaskDefinition): boolean {
  return task.work.kind !== 'module' || (task.timeoutMs === undefined && history?.task(task.hash) !== undefined);
}

/** The figures that the decision of a plan is taken from. */
export function scalingInput(
  parts: Parts,
  counts: ReadonlyMap<number, number>,
  probes?: ReadonlyMap<number, MeasuredWork>,
): ScalingInput {
  const { plan, graph, waves, calibration, history, machine, policy } = parts;
  const knowledge = {
    history,
    probes: probes && new Map([...probes].map(([index, measured]) => [index, { ...measured, source: 'probe' as const }])),
    costs: calibration && costsOf(calibration, machine),
  };
  const { subtasks, widestWave, averageMinutes, waves: work, kind } = summarizeWorkload(graph, waves, counts, knowledge);
  return {
    requested: requestedAgents(plan),
    subtasks,
    widestWave,
    averageMinutes,
    waves: work,
    type: plan.type,
    overhead: overheadOf(parts, kind),
    limits: plan.limits,
    // Workers' threads are there before.
    ...(calibration &&
      machine.workers === undefined && {
        startSeconds: (agents: number) => startSeconds(calibration, layoutAgents(agents, plan.type, machine.cores).threads),
      }),
    ...(policy && { policy }),
    inline: machine.workers === undefined && plan.tasks.every((task) => runsInline(parts, task)),
  };
}

/** What other numbers of agents are predicted to take, for all that is known before the run. */
export function whatIfOf(compiled: CompiledPlan): readonly WhatIf[] {
  const input = scalingInput(compiled, knownBefore(compiled).counts);
  return whatIf(input, compiled.methodology, compiled.machine);
}

/** What work costs on the machines where it runs, as far as it was measured: on workers, what it costs here is the least. */
function costsOf(calibration: Calibration, { workers }: MachineProfile) {
  const { remote } = calibration;
  return workers === undefined || remote === undefined ? workCosts(calibration) : remoteWorkCosts(calibration, remote);
}

/** A user's figure, else the measured one, else the methodology's. */
function overheadOf({ overheadSeconds, calibration, methodology, machine }: Parts, kind: WorkKind): Overhead {
  if (overheadSeconds !== undefined) return { secondsPerAgent: overheadSeconds, secondsPerWave: 0, source: 'given' };
  if (calibration !== undefined) {
    const elsewhere = machine.workers !== undefined;
    const { remote } = calibration;
    const measured = elsewhere && remote !== undefined ? remoteOverhead(remote) : measuredOverhead(calibration, kind);
    const onThreads =
      elsewhere && remote === undefined ? ', on threads of this machine: waveplan bench --redis measures workers' : '';
    return {
      ...measured,
      origin: `${measured.origin}${onThreads}, in place of the methodology's ${methodology.overheadSecondsPerAgent} s`,
    };
  }
  return { secondsPerAgent: methodology.overheadSecondsPerAgent, secondsPerWave: 0, source: 'methodology' };
}

/** `agents` beats `request`. */
function requestedAgents({ agents, request }: ValidPlan): RequestedAgents | undefined {
  if (agents.kind !== 'auto') return agents;
  return request.mode === 'USER_OVERRIDE' ? { kind: 'count', agents: request.agents } : undefined;
}

/** What is known of tasks before the run. */
interface KnownBefore {
  /** Subtasks of every task but the fan-outs whose items the run brings about; none of a task that will be skipped. */
  readonly counts: ReadonlyMap<number, number>;
  /** The tasks that will be skipped, by position. */
  readonly skips: ReadonlyMap<number, SkipCause>;
}

function knownBefore({ plan, graph, folder }: Pick<Parts, 'plan' | 'graph' | 'folder'>): KnownBefore {
  const counts = new Map<number, number>();
  const skips = new Map<number, SkipCause>();
  const states = new Map<string, TaskState>();
  const scope = { params: plan.params, env: processEnvironment() };
  for (const { index, task, needs } of [...graph.nodes].sort((a, b) => a.depth - b.depth)) {
    const skip = knownSkip(task, states, scope);
    states.set(task.id, skip === undefined ? 'done' : 'left-out');
    if (skip !== undefined) skips.set(index, skip);
    const count = skip === undefined ? knownCount(task, { counts, graph, scope, folder, needsOthers: needs.length > 0 }) : 0;
    if (count !== undefined) counts.set(index, count);
  }
  return { counts, skips };
}

/** Why a task will be skipped, as far as no task has to run before that is known. */
function knownSkip(task: TaskDefinition, states: ReadonlyMap<string, TaskState>, scope: ExpressionScope): SkipCause | undefined {
  const stateOf = (need: string) => states.get(need);
  const byNeeds = skippedByNeeds(task, stateOf);
  const condition = taskCondition(task);
  if (byNeeds !== undefined || condition === undefined) return byNeeds;
  const reads = tasksReadBy(condition);
  if (!reads.every((read) => stateOf(read) === 'left-out')) return undefined;
  const tasks = Object.fromEntries(reads.map((read) => [read, { results: null }]));
  const skip = skippedByCondition(task, { ...scope, tasks });
  return skip.ok ? skip.value : undefined;
}

function knownCount(
  { foreach, filters, batch }: TaskDefinition,
  known: {
    readonly counts: ReadonlyMap<number, number>;
    readonly graph: TaskGraph;
    readonly scope: ExpressionScope;
    readonly folder: string;
    readonly needsOthers: boolean;
  },
): number | undefined {
  switch (foreach?.kind) {
    case undefined:
      return 1;
    case 'each':
      return known.counts.get(known.graph.indexOf.get(foreach.task) ?? -1);
    case 'expression':
    case 'matrix':
      if (foreach.tasks.length > 0) return undefined;
      break;
    case 'file':
      // A task before it may write the file.
      if (known.needsOthers) return undefined;
      break;
    case 'list':
      break;
  }
  const items = expandItems(foreach, { filters, scope: known.scope, folder: known.folder });
  // What cannot be had now is the run's to report.
  return items.ok ? batchCount(items.value.length, batch) : undefined;
}

function analyse(parts: Parts, counts: ReadonlyMap<number, number>, skips: ReadonlyMap<number, SkipCause>): PlanAnalysis {
  const { plan, graph, waves, machine } = parts;
  const input = scalingInput(parts, counts);
  const decision = decideScaling(input, parts.methodology, machine);
  const fit = fitInput(input);
  const { averageSource } = summarizeWorkload(graph, waves, counts, { history: parts.history });
  const expanding = graph.nodes.flatMap((node) => {
    const afterWave = counts.has(node.index) ? undefined : expandsAfterWave(node, graph);
    return afterWave === undefined ? [] : [{ task: node.task.id, afterWave }];
  });
  const analysed = waves.map((wave, i): WaveAnalysis => {
    const work = input.waves[i] ?? { subtasks: 0, seconds: 0 };
    const known = wave.nodes.every((node) => counts.has(node.index));
    const agents = Math.max(1, Math.min(decision.decided.agents, work.subtasks));
    return {
      number: wave.number,
      name: wave.name,
      tasks: wave.nodes.map((node) => outline(node, counts, skips.get(node.index))),
      agents,
      predictedMinutes: known ? predictWave(agents, work, fit, machine).seconds / 60 : undefined,
    };
  });
  const allKnown = analysed.every((wave) => wave.predictedMinutes !== undefined);
  const otherMachines = allKnown ? compareMachines(parts, counts) : undefined;
  const peak = analysed.reduce(
    (most, wave) => (wave.agents > most.agents ? wave : most),
    analysed[0] ?? { agents: 1, number: 1 },
  );
  return {
    task: plan.request.task,
    pattern: classifyPattern(graph),
    subtasks: input.subtasks,
    expanding,
    dependencies: classifyDependencies(graph),
    type: plan.type,
    average: { minutes: input.averageMinutes, source: averageSource },
    decision,
    waves: analysed,
    backup: plan.backup,
    finally: plan.finally.map((task) => ({
      id: task.id,
      phase: task.phase,
      fanOut: false,
      subtasks: 1,
      work: describeWork(task.work),
    })),
    predictedSeconds: allKnown
      ? analysed.reduce(
          (sum, wave) => sum + (wave.predictedMinutes ?? 0) * 60,
          peak.agents === 1 && fit.inline === true ? 0 : (fit.startSeconds?.(peak.agents) ?? 0),
        )
      : undefined,
    ...(otherMachines && { otherMachines }),
    sequentialMinutes: allKnown ? decision.sequentialMinutes : undefined,
    peak: { agents: peak.agents, wave: peak.number },
    totalWaves: waves.length,
  };
}

/** The same work on this machine and on others; on one like this, where it is about to run here and workers were measured. */
function compareMachines(parts: Parts, counts: ReadonlyMap<number, number>): OtherMachines | undefined {
  const { machine, calibration, here = machine, methodology } = parts;
  const { workers } = machine;
  if (workers === undefined && calibration?.remote === undefined) return undefined;
  const decideOn = (where: MachineProfile) => {
    const input = scalingInput({ ...parts, machine: where }, counts);
    // Durations hold on both; how many agents are useful, and what a wave took beyond the model, where it was learned alone.
    const waves = input.waves.map(({ usefulAgents: _, extraSeconds: __, ...work }) => work);
    return decideScaling({ ...input, waves, requested: undefined }, methodology, where).fit;
  };
  const twice = 2 * here.cores;
  const another = { cores: twice, memoryBytes: 2 * here.memoryBytes, workers: { count: 2, agents: AGENTS_PER_CORE * twice } };
  const there = workers === undefined ? another : machine;
  return {
    on: workers === undefined ? 'this' : 'workers',
    workers: there.workers?.count ?? 0,
    here: decideOn(here),
    there: decideOn(there),
  };
}

function outline(node: TaskNode, counts: ReadonlyMap<number, number>, skip: SkipCause | undefined): TaskOutline {
  const { task } = node;
  return {
    id: task.id,
    phase: task.phase,
    fanOut: task.foreach !== undefined,
    subtasks: counts.get(node.index),
    work: describeWork(task.work),
    needs: task.needs,
    ...(task.optionalNeeds && { optionalNeeds: task.optionalNeeds }),
    ...(skip && { skipped: skipReason(skip) }),
  };
}

function describeWork(work: Work): string {
  switch (work.kind) {
    case 'shell':
      return work.command.trim().split('\n')[0] ?? '';
    case 'argv':
      return work.argv.join(' ');
    case 'module':
      return work.uses;
    case 'builtin':
      return work.action;
  }
}
