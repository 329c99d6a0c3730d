import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { InlineExecutor } from '../execute/inline-executor.js';
import { layoutAgents, maxThreads } from '../execute/layout.js';
import type { RunWavesPorts } from '../execute/ports.js';
import { SwitchingExecutor } from '../execute/switching-executor.js';
import { ok, type Result } from '../model/result.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { type CompiledPlan, decideFor, runsInline } from './compile-plan.js';
import { openElsewhere, type RemoteRun } from './remote-run.js';
import type { RunPlace } from './run-place.js';
import type { RunSession } from './run-session.js';
import { steeringOf } from './steering.js';

/** Where a run's subtasks run, and on how many agents. */
export type Execution = Pick<RunWavesPorts, 'executor' | 'layout' | 'decide' | 'steering' | 'chunkMs' | 'mostInChunk'>;

/** What decides where they run. */
export interface WhereToRun {
  /** Subtasks run on other machines; absent: on threads of this one. */
  readonly remote?: RemoteRun | undefined;
  /** The run is one of a session. */
  readonly session?: RunSession | undefined;
}

/** Who is told of what happens there. */
export interface ExecutionListener {
  readonly warn: (message: string) => void;
  /** No worker is left, and none came for long. */
  readonly onNobody: (reason: string) => void;
}

/** Makes what runs a plan's subtasks. The error is why that cannot be. */
export async function openExecution(
  compiled: CompiledPlan,
  place: RunPlace,
  { remote, session }: WhereToRun,
  listener: ExecutionListener,
): Promise<Result<Execution, EnvironmentProblem>> {
  const here = executionHere(compiled, place, session, listener);
  return remote === undefined ? ok(here) : openElsewhere(compiled, place, { remote, here }, listener);
}

function executionHere(
  compiled: CompiledPlan,
  { timeLine }: RunPlace,
  session: RunSession | undefined,
  { warn }: ExecutionListener,
): Execution {
  const { plan, machine } = compiled;
  const makePool = async () => {
    const { PiscinaExecutor } = await import('../execute/piscina-executor.js');
    return new PiscinaExecutor(maxThreads(plan.type, machine.cores), timeLine, warn);
  };
  // A module that is changed between the runs of a session could not be loaded anew in this thread.
  const mayRunInline = (task: TaskDefinition) =>
    runsInline(compiled, task) && (session === undefined || task.work.kind !== 'module');
  return {
    executor: new SwitchingExecutor(new InlineExecutor(timeLine, warn), makePool),
    decide: (counts, probes) => decideFor(compiled, counts, probes),
    layout: (agents, tasks) =>
      agents === 1 && tasks.every(mayRunInline) ? { agents, threads: 0 } : layoutAgents(agents, plan.type, machine.cores),
    steering: steeringOf(compiled),
  };
}
