import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { counted } from '../report/figures.js';
import { inertLine } from '../report/inert.js';
import { readMachine } from '../scaling/machine.js';
import { AGENTS_PER_CORE } from './compile-plan.js';
import { EXIT } from './exit-code.js';
import { packageVersion } from './package-version.js';
import { addRedisOptions, connectRemote, type RedisOptions } from './remote.js';
import { printError, printLine, printProblem } from './streams.js';

interface WorkerVerbOptions extends RedisOptions {
  readonly root: string;
  readonly agents?: number;
  readonly quiet?: boolean;
}

/** Above this a number is a slip. */
const MOST_AGENTS = 10_000;

/** `waveplan worker`: runs subtasks for coordinators on other machines until it is stopped. */
export function workerCommand(): Command {
  const command = new Command('worker')
    .description('run subtasks for `run --executor bullmq` on another machine, of plans in this checkout alone')
    .option('--root <dir>', 'the checkout: plans are looked for and work is done there', '.')
    .addOption(new Option('-j, --agents <count>', `agents (default: ${AGENTS_PER_CORE} for each core)`).argParser(agentsCount))
    .option('-q, --quiet', 'print nothing but errors');
  return addRedisOptions(command).action(async (options: WorkerVerbOptions) => {
    process.exitCode = await work(options);
  });
}

function agentsCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_AGENTS) throw new InvalidArgumentError(`write a whole number from 1 to ${MOST_AGENTS}`);
  return count;
}

async function work(options: WorkerVerbOptions): Promise<number> {
  const root = resolve(options.root);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    printProblem({ message: `--root: ${root} is no folder`, hint: 'name the checkout that has the plans' });
    return EXIT.refused;
  }
  const connected = await connectRemote(options);
  if (!connected.ok) {
    printProblem(connected.error);
    return connected.error.kind === 'use' ? EXIT.refused : EXIT.environment;
  }
  const { wire, sealer, redis, silenceMs, shared } = connected.value;
  const machine = readMachine();
  const { agents = AGENTS_PER_CORE * machine.cores } = options;
  const say = options.quiet === true ? () => {} : (text: string) => printLine(`${new Date().toISOString()} ${inertLine(text)}`);
  const { WorkerService } = await import('../remote/worker-service.js');
  const host = hostname();
  const service = new WorkerService({
    wire,
    sealer,
    root,
    agents,
    machine,
    host,
    version: packageVersion(),
    silenceMs,
    shared,
    log: say,
  });
  await service.start();
  say(`worker ${host}:${process.pid}, ${counted(agents, 'agent')}, plans in ${root}, Redis at ${redis.shown}`);
  const signal = await drainOnSignal(() => service.drain());
  await service.stop();
  if (signal === 'SIGHUP') return EXIT.hungUp;
  return signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Waits for a signal. The first lets what was accepted end; a second one does not wait for that. */
function drainOnSignal(drain: () => Promise<void>): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: NodeJS.Signals | undefined;
    const handle = (signal: NodeJS.Signals) => {
      if (first !== undefined) {
        resolve(first);
        return;
      }
      first = signal;
      printError(`${signal}: taking no more work; what is running may end. Again to end it now.`);
      void drain().then(() => resolve(signal));
    };
    for (const signal of SIGNALS) process.on(signal, handle);
  });
}
