import type { RemoteRig } from '../measure/remote.js';
import { NO_MASK } from '../model/mask.js';
import { err, ok, type Result } from '../model/result.js';
import { loadPlan } from '../plan/load-plan.js';
import { BENCH_FOLDER, BENCH_PLAN } from '../remote/bench-plan.js';
import { BullmqExecutor } from '../remote/bullmq-executor.js';
import { planIdentity } from '../remote/plan-identity.js';
import { packageVersion } from './package-version.js';
import { connectRemote, type RedisOptions, type RemoteProblem } from './remote.js';

/** Workers that a bench may use, until it closes them. */
export interface BenchWorkers {
  readonly rig: RemoteRig;
  readonly close: () => Promise<void>;
}

/** Finds the workers that are to be measured. */
export async function openBenchWorkers(options: RedisOptions, waitMs: number): Promise<Result<BenchWorkers, RemoteProblem>> {
  const connected = await connectRemote(options);
  if (!connected.ok) return connected;
  const { wire, sealer, silenceMs } = connected.value;
  const plan = loadPlan(BENCH_PLAN);
  if (!plan.ok) throw new Error('Internal error: the plan of the bench is not valid');
  const [modules, commands] = plan.value.tasks;
  if (modules === undefined || commands === undefined) throw new Error('Internal error: the plan of the bench has no tasks');
  const hello = {
    type: 'hello',
    run: 'bench',
    version: packageVersion(),
    plan: planIdentity(plan.value, BENCH_FOLDER),
    params: {},
    secretParams: {},
  } as const;
  const quiet = () => {};
  const executor = new BullmqExecutor({ wire, sealer, hello, silenceMs, waitMs, mask: NO_MASK, onNews: quiet, onNobody: quiet });
  await executor.start();
  const close = async () => {
    await executor.close();
    await wire.close();
  };
  if ((await executor.someWorker()) < LEAST_AGENTS) {
    await close();
    const message = `there are no workers with ${LEAST_AGENTS} agents to measure`;
    return err({ kind: 'environment', message, hint: 'start some: waveplan worker --redis URL --root DIR' });
  }
  // Others may just be about to answer.
  await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
  const { workers } = executor.fleet;
  const tasks = { modules, commands };
  return ok({ rig: { executor, tasks, agents: workers.agents, workers: workers.count }, close });
}

/** A line needs two points. */
const LEAST_AGENTS = 2;
/** How long after the first worker the others may come. */
const GATHER_MS = 500;
