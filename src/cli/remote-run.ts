import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { processEnvironment } from '../actions/kept-environment.js';
import { type EnvironmentProblem, systemProblem } from '../checkpoint/problem.js';
import { CHUNK_MS } from '../execute/chunk-size.js';
import type { JsonObject } from '../model/json.js';
import { err, ok, type Result, unreachable } from '../model/result.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { BullmqExecutor, type BullmqExecutorOptions, type WorkerNews } from '../remote/bullmq-executor.js';
import { planIdentity } from '../remote/plan-identity.js';
import type { CheckoutToken, Hello } from '../remote/protocol.js';
import { mayGoElsewhere, RoutingExecutor } from '../remote/routing-executor.js';
import type { Fleet } from '../scaling/machine.js';
import { type CompiledPlan, decideFor } from './compile-plan.js';
import type { Execution, ExecutionListener } from './execution.js';
import { packageVersion } from './package-version.js';
import type { RemoteConnection } from './remote.js';
import type { RunPlace } from './run-place.js';
import { secretParamsOf } from './secret-params.js';
import { steeringOf } from './steering.js';

/** How a run is to take place on other machines. */
export interface RemoteRun {
  readonly connection: RemoteConnection;
  /** How long it waits where there is no worker, in milliseconds. */
  readonly waitMs: number;
  /** The workers that were there before it began. */
  readonly fleet: Fleet;
}

/**
 * Makes what runs a plan's subtasks on other machines, and looks for workers there.
 * @param here runs what stays.
 */
export async function openElsewhere(
  compiled: CompiledPlan,
  place: RunPlace,
  { remote, here }: { readonly remote: RemoteRun; readonly here: Execution },
  { warn, onNobody }: ExecutionListener,
): Promise<Result<Execution, EnvironmentProblem>> {
  const onNews = (news: WorkerNews) => {
    const text = newsText(news);
    if (text !== undefined) warn(text);
  };
  const opened = await openBullmq(compiled, place, remote, { onNobody, onNews });
  if (!opened.ok) return opened;
  const { value: elsewhere } = opened;
  // While there is nobody, as when there was somebody.
  const fleetNow = () => (elsewhere.agents > 0 ? elsewhere.fleet : remote.fleet);
  const last = new Set(compiled.plan.finally.map(({ id }) => id));
  const takes = (task: TaskDefinition) => mayGoElsewhere(task) && !last.has(task.id);
  return ok({
    executor: new RoutingExecutor(here.executor, elsewhere, takes),
    decide: (counts, probes) => decideFor({ ...compiled, machine: fleetNow() }, counts, probes),
    layout: (agents, tasks) => (tasks.some(takes) ? { agents, threads: agents, elsewhere: true } : here.layout(agents, tasks)),
    steering: steeringOf(compiled, { cpuSeconds: () => elsewhere.cpuSeconds }),
    mostInChunk: MOST_IN_CHUNK,
    chunkMs: () => Math.max(CHUNK_MS, Math.min(LONGEST_CHUNK_MS, CHUNK_TIMES * (elsewhere.chunkCostMs ?? 0))),
  });
}

/** A chunk should take so many times what its way costs. */
const CHUNK_TIMES = 10;
/** Subtasks of a chunk: a message of so many items is still a small one. */
const MOST_IN_CHUNK = 32_768;
/** Longer chunks would leave other agents idle at the end. */
const LONGEST_CHUNK_MS = 500;

/** What has to be said of a worker; nothing where all is as it should be. */
function newsText({ kind, worker, reason }: WorkerNews): string | undefined {
  switch (kind) {
    case 'joined':
      return undefined;
    case 'refused':
      return `worker ${worker} does not take part: ${reason}`;
    case 'stray':
      return `worker ${worker}: ${reason}`;
    case 'came-back':
      return `worker ${worker} came back`;
    case 'left':
    case 'lost':
      return `worker ${worker} is gone: ${reason}`;
    default:
      return unreachable(kind);
  }
}

async function openBullmq(
  { plan }: CompiledPlan,
  place: RunPlace,
  { connection, waitMs }: RemoteRun,
  told: Pick<BullmqExecutorOptions, 'onNews' | 'onNobody'>,
): Promise<Result<BullmqExecutor, EnvironmentProblem>> {
  const { workspace, run, mask } = place;
  const secretParams = secretParamsOf(plan, mask, processEnvironment()) ?? {};
  const inPart = Object.keys(secretParams).find((name) => secretParams[name] === null);
  if (inPart !== undefined) {
    return err({
      message: `param ${inPart} has a secret in it, and secrets do not travel to other machines`,
      hint: "let the param be the whole value of one of the plan's secrets, which each worker has in its own environment",
    });
  }
  const params: JsonObject = Object.fromEntries(
    Object.entries(plan.params).filter(([name]) => !Object.hasOwn(secretParams, name)),
  );
  const checkout = plan.backup === 'none' ? ok(undefined) : await leaveToken(place);
  if (!checkout.ok) return checkout;
  const hello: Hello = {
    type: 'hello',
    run,
    version: packageVersion(),
    plan: planIdentity(plan, workspace.folder),
    params,
    secretParams: secretParams as Record<string, string>,
    ...(checkout.value && { checkout: checkout.value }),
  };
  const { wire, sealer, silenceMs, shared } = connection;
  const executor = new BullmqExecutor({ wire, sealer, hello, silenceMs, waitMs, shared, mask, ...told });
  await executor.start();
  if ((await executor.someWorker()) > 0) return ok(executor);
  await executor.close();
  return err({ message: executor.nobody, hint: 'start some in checkouts of this plan: waveplan worker --redis URL --root DIR' });
}

/** Leaves a file that only who sees this very checkout can read. */
async function leaveToken({ workspace, runDir }: RunPlace): Promise<Result<CheckoutToken, EnvironmentProblem>> {
  const file = join(runDir, 'checkout-token');
  const token = randomBytes(24).toString('base64url');
  try {
    await writeFile(file, token);
  } catch (error) {
    return err(systemProblem(`write ${file}`, error));
  }
  return ok({ path: relative(workspace.folder, file).split(sep).join('/'), token });
}
