import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { processEnvironment } from '../actions/kept-environment.js';
import { checkpointFileName } from '../checkpoint/checkpoint-files.js';
import { readLastResults } from '../checkpoint/last-results.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import { expandItems } from '../execute/expand.js';
import { ResultsStore } from '../execute/results-store.js';
import { compileGraph } from '../graph/compile-graph.js';
import { batchCount, batchItem } from '../graph/fan-out.js';
import type { ItemList } from '../graph/item-list.js';
import { groupWaves } from '../graph/waves.js';
import { parseSubtaskId } from '../model/ids.js';
import { didYouMean } from '../plan/closest.js';
import type { TaskDefinition, ValidPlan } from '../plan/valid-plan.js';
import { counted } from '../report/figures.js';
import { inertBlock } from '../report/inert.js';
import { type Prompt, type PromptContext, TaskPrompts, templatePrompt } from '../report/prompts.js';
import { loadEvaluator } from '../worker/prepare.js';
import { EXIT } from './exit-code.js';
import { addPlanOptions, loadFromOptions, type PlanOptions } from './plan-options.js';
import { hasLostOutput, printError, printJson, printLine } from './streams.js';

interface PromptsOptions extends PlanOptions {
  readonly task?: string;
  readonly json?: boolean;
  readonly limit?: number;
  readonly checkpointFiles: string;
}

/** `waveplan prompts PLAN`: prints the prompt of every subtask, each of which stands alone. */
export function promptsCommand(): Command {
  const command = new Command('prompts')
    .description('print the prompt of every subtask, for agents: objective, inputs, tools, definition of done, checkpoint')
    .argument('<plan>', 'plan file')
    .option('--task <id>', 'of one task, or of one subtask: rename, or rename[3]')
    .option('--json', 'one JSON object a line: {task, subtask, wave, template, prompt}')
    .addOption(
      new Option('--limit <n>', 'subtasks of each fan-out (default: 5; with --json or --task, all)').argParser(countArgument),
    )
    .option('--checkpoint-files <dir>', 'where prompts say that checkpoints go', tmpdir());
  return addPlanOptions(command).action(async (file: string, options: PromptsOptions) => {
    const loaded = loadFromOptions(file, options);
    process.exitCode = loaded === undefined ? EXIT.refused : await printPrompts(loaded.plan, options);
  });
}

async function printPrompts(plan: ValidPlan, options: PromptsOptions): Promise<number> {
  const { task: named, index: only } = parseSubtaskId(options.task ?? '');
  const graph = compileGraph(plan);
  const waves = groupWaves(graph);
  const placed = [
    ...waves.flatMap(({ number, nodes }) => nodes.map(({ task }) => ({ task, wave: number }))),
    ...plan.finally.map((task) => ({ task, wave: waves.length + 1 })),
  ];
  const chosen = options.task === undefined ? placed : placed.filter(({ task }) => task.id === named);
  if (chosen.length === 0) {
    const hint =
      didYouMean(
        named,
        placed.map(({ task }) => task.id),
      ) ?? `the tasks are ${placed.map(({ task }) => task.id).join(', ')}`;
    printError(`waveplan: there is no task '${options.task}': ${hint}`);
    return EXIT.refused;
  }
  const { folder, stateDir } = openWorkspace({ planFile: plan.file, cwd: options.cwd, stateDir: options.stateDir });
  const last = await readLastResults(stateDir, plan);
  if (last !== undefined && options.json !== true) {
    const edited = last.otherPlan ? ', before the plan was edited' : '';
    printError(`Results of earlier tasks are those of run ${last.run}${edited}.`);
  }
  const results = new ResultsStore();
  for (const [task, found] of last?.results ?? []) results.set(task, found);
  const context: PromptContext = {
    partOf: plan.request.task,
    surroundings: { params: plan.params, env: processEnvironment(), folder, secrets: plan.secrets, run: last?.run ?? '' },
    evaluator: await loadEvaluator(),
    results,
    checkpointFile: (wave, subtask) => join(resolve(options.checkpointFiles), checkpointFileName({ wave, task_id: subtask })),
  };
  const limit = options.limit ?? (options.json === true || options.task !== undefined ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  for (const { task, wave } of chosen) {
    if (!printTask(task, wave, { context, limit, only, json: options.json === true })) return EXIT.refused;
  }
  return EXIT.done;
}

const DEFAULT_LIMIT = 5;

interface Printing {
  readonly context: PromptContext;
  readonly limit: number;
  /** The one subtask that is asked for. */
  readonly only: number | undefined;
  readonly json: boolean;
}

/** Prints the prompts of one task; false where the subtask that is asked for does not exist. */
function printTask(task: TaskDefinition, wave: number, { context, limit, only, json }: Printing): boolean {
  const missing = task.reads.filter((read) => context.results.get(read) === undefined);
  if (missing.length > 0) {
    const open = `what stands in \${{ … }} comes from the results of ${missing.join(', ')}, which no run has brought yet. Run the plan, then print this again.`;
    print(templatePrompt(task, wave, context, open), json);
    return true;
  }
  const items = itemsOf(task, context);
  if (typeof items === 'string') {
    print(templatePrompt(task, wave, context, items), json);
    return true;
  }
  const prompts = new TaskPrompts(task, wave, context);
  if (items === undefined) {
    const prompt = prompts.of({ index: undefined, item: undefined });
    if (prompt !== undefined) print(prompt, json);
    return only === undefined || refuse(`task '${task.id}' has no subtasks by number: it runs once`);
  }
  const count = batchCount(items.length, task.batch);
  if (only !== undefined && only >= count) return refuse(`task '${task.id}' has ${counted(count, 'subtask')}, numbered from 0`);
  const [first, end] = only === undefined ? [0, Math.min(count, limit)] : [only, only + 1];
  for (let index = first; index < end && !hasLostOutput(); index += 1) {
    const prompt = prompts.of({ index, item: batchItem(items, task.batch, index) });
    if (prompt !== undefined) print(prompt, json);
  }
  if (only === undefined && end < count && !json)
    printLine(`… and ${count - end} more of ${task.id}: --limit ${count}, or --task ${task.id}\n`);
  return true;
}

function refuse(message: string): false {
  printError(`waveplan: ${message}`);
  return false;
}

/** The items of a fan-out, `undefined` for a task that is none, or what keeps them from being known. */
function itemsOf(
  { foreach, filters, reads }: TaskDefinition,
  { surroundings, results }: PromptContext,
): ItemList | undefined | string {
  if (foreach === undefined) return undefined;
  if (foreach.kind === 'each') return `its subtasks are paired with those of ${foreach.task}, one by one, while the plan runs.`;
  const { params, env, folder } = surroundings;
  const items = expandItems(foreach, { filters, scope: { params, env, tasks: results.scope(reads) }, folder });
  return items.ok ? items.value : `its items are not known: ${items.error.message}`;
}

/** Another program gets every character of a prompt as it is; on a terminal, none of them acts. */
function print(prompt: Prompt, json: boolean): void {
  if (json) {
    printJson(prompt);
    return;
  }
  const text = `──── wave ${prompt.wave}: ${prompt.subtask}\n\n${prompt.prompt}`;
  printLine(process.stdout.isTTY === true ? inertBlock(text) : text);
}

function countArgument(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('it must be a whole number from 1');
  return Number(text);
}
