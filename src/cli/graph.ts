import { Command, Option } from 'commander';
import { readHistory } from '../checkpoint/history-store.js';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import { err, ok, type Result } from '../model/result.js';
import { type GraphView, graphView } from '../report/graph/graph-view.js';
import { History, machineKey } from '../scaling/history.js';
import { fingerprintOf, readMachine } from '../scaling/machine.js';
import { type CompiledPlan, compilePlan } from './compile-plan.js';
import { EXIT } from './exit-code.js';
import { findRun } from './find-run.js';
import { packageVersion } from './package-version.js';
import { addPlanOptions, loadFromOptions, type PlanOptions } from './plan-options.js';
import { readRunRecord } from './run-record.js';
import { printLine, printProblem } from './streams.js';
import { writeToFile, writeToOutput } from './write-out.js';

const FORMATS = ['mermaid', 'dot', 'svg'] as const;

interface GraphOptions extends PlanOptions {
  readonly format: (typeof FORMATS)[number];
  readonly run?: string | true;
  readonly output?: string;
}

/** `waveplan graph PLAN`: draws a plan's tasks and waves. */
export function graphCommand(): Command {
  const command = new Command('graph')
    .description('draw the tasks: waves as ranks, the critical path marked, with durations where some are known')
    .argument('<plan>', 'plan file')
    .addOption(new Option('-f, --format <format>', 'what to draw').choices(FORMATS).default('mermaid'))
    .option('--run [run]', "with the durations of a run (without an id: this plan's last one)")
    .option('-o, --output <file>', 'write it there instead of printing it');
  return addPlanOptions(command).action(async (file: string, options: GraphOptions) => {
    process.exitCode = await graph(file, options);
  });
}

async function graph(file: string, options: GraphOptions): Promise<number> {
  const loaded = loadFromOptions(file, options);
  if (loaded === undefined) return EXIT.refused;
  const { stateDir } = openWorkspace({ planFile: loaded.plan.file, cwd: options.cwd, stateDir: options.stateDir });
  const machine = readMachine();
  const history = new History(await readHistory(stateDir), machineKey(fingerprintOf(machine, packageVersion())));
  const compiled = compilePlan(loaded.plan, loaded.methodology, { machine, history });
  const view = options.run === undefined ? ok(expectedGraph(compiled)) : await measuredGraph(compiled, stateDir, options.run);
  if (!view.ok) {
    printProblem(view.error);
    return EXIT.refused;
  }
  const text = await draw(view.value, options.format);
  if (!text.ok) {
    printProblem(text.error);
    return EXIT.refused;
  }
  if (options.output === undefined) {
    await writeToOutput([text.value]);
    return EXIT.done;
  }
  const written = await writeToFile(options.output, [text.value]);
  if (!written.ok) {
    printProblem(written.error);
    return EXIT.environment;
  }
  printLine(`Written: ${options.output}`);
  return EXIT.done;
}

async function draw(view: GraphView, format: GraphOptions['format']): Promise<Result<string, EnvironmentProblem>> {
  switch (format) {
    case 'mermaid':
      return ok((await import('../report/graph/mermaid.js')).renderMermaid(view));
    case 'dot':
      return ok((await import('../report/graph/dot.js')).renderDot(view));
    case 'svg': {
      const { MOST_TASKS, renderGraphSvg } = await import('../report/graph/svg.js');
      const tasks = view.waves.reduce((sum, wave) => sum + wave.tasks.length, 0);
      if (tasks <= MOST_TASKS) return ok(await renderGraphSvg(view));
      const message = `${tasks} tasks are too many to lay out here (at most ${MOST_TASKS})`;
      return err({ message, hint: 'print it for a tool of your own: --format dot' });
    }
  }
}

/** With what earlier runs or the plan's estimates make expect. */
function expectedGraph({ plan, history, analysis }: CompiledPlan): GraphView {
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const agents = new Map(
    analysis.waves.flatMap((wave) => wave.tasks.map(({ id, subtasks }) => [id, { agents: wave.agents, subtasks }])),
  );
  return graphView(plan.name, analysis.waves, 'expected', (id) => {
    const task = tasks.get(id);
    const measured = task && history?.task(task.hash);
    const eachMs = measured === undefined ? task?.estimateMs : measured.meanSeconds * 1000;
    const { agents: count = 1, subtasks } = agents.get(id) ?? {};
    return { durationMs: eachMs === undefined || subtasks === undefined ? undefined : Math.ceil(subtasks / count) * eachMs };
  });
}

/** With what the tasks took in a run. */
async function measuredGraph(
  { plan, analysis }: CompiledPlan,
  stateDir: string,
  run: string | true,
): Promise<Result<GraphView, EnvironmentProblem>> {
  const found = await findRun(stateDir, run === true ? undefined : run, (manifest) => manifest.plan.name === plan.name);
  if (!found.ok) return found;
  const record = await readRunRecord(found.value.runDir);
  if (!record.ok) return record;
  const { runGraph } = await import('../report/graph/run-graph.js');
  const { summary, details } = record.value;
  // The waves as they are in the plan now; tasks that the run did not have stand there without figures.
  return ok(runGraph(summary, { ...details, outline: analysis.waves }));
}
