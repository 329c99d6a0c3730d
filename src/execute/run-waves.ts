import { EagerRunner } from './eager-runner.js';
import { ExecutorStartError } from './executor.js';
import { finallyTasks } from './finally-tasks.js';
import type { RunWavesOptions, RunWavesPorts, WavesEnd } from './ports.js';
import { RunState } from './run-state.js';
import { WavesRunner } from './waves-runner.js';

/**
 * Runs a plan's tasks, each wave to its barrier or each task as soon as it can, checks each wave against its checkpoints,
 * and runs the `finally` tasks at the end, whatever happened. Emits everything that happens; touches no disk.
 */
export async function runWaves(
  options: RunWavesOptions,
  ports: RunWavesPorts,
  state: RunState = new RunState(options, ports),
): Promise<WavesEnd> {
  const runner = options.sync === 'eager' ? new EagerRunner(options, ports, state) : new WavesRunner(options, ports, state);
  const end = await brokenWithoutRoom(() => runner.run());
  const last = await brokenWithoutRoom(() => finallyTasks(options, ports, state));
  const pools = state.pools.uses();
  if (pools.length > 0) ports.emit({ type: 'pools-observed', at: ports.clock.now(), pools });
  return end.status === 'done' ? last : end;
}

/** Work for which the executor cannot make room ends the run, but not what stands under `finally`. */
async function brokenWithoutRoom(work: () => Promise<WavesEnd>): Promise<WavesEnd> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ExecutorStartError)) throw error;
    return { status: 'broken', reason: error.message };
  }
}
