import { Command } from 'commander';
import { maskOfSecrets } from '../plan/secrets.js';
import { confirm } from './confirm.js';
import { EXIT } from './exit-code.js';
import {
  addPlanOptions,
  addSelectionOptions,
  loadFromOptions,
  type PlanOptions,
  prepareFromOptions,
  type SelectionOptions,
} from './plan-options.js';
import { panelView } from './show-run.js';
import { printError, printLine, printProblem } from './streams.js';

interface WatchOptions extends PlanOptions, SelectionOptions {
  readonly yes?: boolean;
  readonly keepGoing?: boolean;
}

/** `waveplan watch PLAN`: runs a plan, and what is affected of it whenever a file changes. */
export function watchCommand(): Command {
  const command = new Command('watch')
    .description('run a plan, and again what is affected whenever the plan, a module or an input changes')
    .argument('<plan>', 'plan file')
    .option('-y, --yes', 'do not ask before the first run')
    .option('-k, --keep-going', 'start more work whatever fails');
  return addSelectionOptions(addPlanOptions(command)).action(async (file: string, options: WatchOptions) => {
    process.exitCode = await watch(file, options);
  });
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

async function watch(file: string, options: WatchOptions): Promise<number> {
  const load = () => loadFromOptions(file, options);
  const loaded = load();
  if (loaded === undefined) return EXIT.refused;
  const onTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (options.yes !== true && !onTerminal) {
    printError('waveplan: there is no terminal to ask for confirmation: answer with --yes');
    return EXIT.refused;
  }
  const secrets = maskOfSecrets(loaded.plan.secrets, process.env);
  if (!secrets.ok) {
    printProblem(secrets.error);
    return EXIT.environment;
  }
  const showPlan = async (of: typeof loaded) => {
    const { renderAnalysis } = await import('../report/analysis-panel.js');
    const { compiled } = await prepareFromOptions(of, options, printLine);
    printLine(renderAnalysis(compiled.analysis, panelView()));
  };
  if (options.yes !== true) {
    await showPlan(loaded);
    if (!(await confirm(process.stdin, process.stdout))) {
      printError('Not confirmed: nothing was done.');
      return EXIT.refused;
    }
  }
  const { WatchSession } = await import('./watch/session.js');
  const session = new WatchSession(loaded, { options, load, say: printLine });
  let code: number | undefined;
  const handlers = Object.entries(SIGNALS).map(([signal, exit]) => {
    const handle = () => {
      code ??= exit;
      session.quit(`stopped by ${signal}`);
    };
    process.on(signal, handle);
    return [signal, handle] as const;
  });
  const onKey = (key: Buffer) => {
    switch (key.toString()) {
      case 'r':
        session.again({ text: 'everything, as you asked', force: true });
        return;
      case 'f':
        session.again({ text: 'what failed, as you asked', force: false });
        return;
      case 'p':
        void showPlan(session.plan);
        return;
      case '\u0003':
        code ??= SIGNALS.SIGINT;
        session.quit('stopped by SIGINT');
        return;
      case 'q':
        session.quit('stopped by q');
    }
  };
  if (onTerminal) {
    process.stdin.setRawMode(true).on('data', onKey).resume();
    printLine('Keys: r run everything again, f only what failed, p the plan, q quit');
  }
  if (loaded.plan.tasks.every(({ inputs, work }) => inputs === undefined && work.kind !== 'module'))
    printLine('No task names inputs: only changes of the plan itself will be seen');
  try {
    return (await session.go()) ? (code ?? EXIT.done) : EXIT.environment;
  } finally {
    for (const [signal, handle] of handlers) process.off(signal, handle);
    if (onTerminal) process.stdin.off('data', onKey).setRawMode(false).pause();
  }
}
