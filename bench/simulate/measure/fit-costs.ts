import type { Costs, ThreadCosts } from '../model/costs.ts';
import { explained, nonNegativeLeastSquares, type Observation } from './least-squares.ts';
import type { RealRun } from './real-run.ts';

/** What the threads of a run cost, fitted to measured runs of different shapes. */
export interface FittedCosts {
  readonly coordinator: ThreadCosts;
  readonly redis: ThreadCosts;
  readonly worker: ThreadCosts;
  readonly agent: Costs['agent'];
  /** Of each thread and each run: what the fit says over what was measured. */
  readonly explained: Readonly<Record<'coordinator' | 'redis' | 'worker' | 'agents', readonly number[]>>;
}

/**
 * Fits what a run costs by itself, each chunk, each envelope and each subtask to the processor time that threads used. What a
 * subtask costs is told apart by the model into its way there and back, of which only the sum is known: half each.
 */
export function fitCosts(runs: readonly RealRun[]): FittedCosts {
  const fitted = (used: (run: RealRun) => number) => {
    const observations = runs.map(
      (run): Observation => ({ causes: [1, run.chunks, run.envelopes, run.work.subtasks], effect: used(run) }),
    );
    const costs = nonNegativeLeastSquares(observations);
    const [, chunk = 0, envelope = 0, subtask = 0] = costs;
    const thread: ThreadCosts = {
      chunk: { each: chunk, perSubtask: subtask / 2 },
      envelope: { each: envelope, perSubtask: subtask / 2 },
    };
    return { thread, explained: observations.map((observation) => explained(costs, observation)) };
  };
  const coordinator = fitted((run) => run.coordinator.mainThread);
  const redis = fitted((run) => run.redis.mainThread);
  const worker = fitted((run) => run.worker.mainThread);
  // The work itself is no cost of the engine; the least that is left is what starting a thread takes.
  const ofAgents = runs.map(
    ({ worker: { otherThreads }, work, chunks }): Observation => ({
      causes: [1, chunks, work.subtasks],
      effect: Math.max(1, otherThreads - work.subtasks * work.cpuMs),
    }),
  );
  const agents = nonNegativeLeastSquares(ofAgents);
  return {
    coordinator: coordinator.thread,
    redis: redis.thread,
    worker: worker.thread,
    agent: { each: agents[1] ?? 0, perSubtask: agents[2] ?? 0 },
    explained: {
      coordinator: coordinator.explained,
      redis: redis.explained,
      worker: worker.explained,
      agents: ofAgents.map((observation) => explained(agents, observation)),
    },
  };
}
