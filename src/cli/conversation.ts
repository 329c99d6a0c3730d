import { unreachable } from '../model/result.js';
import { overridePlan, type PlanOverrides } from '../plan/override-plan.js';
import { wrapText } from '../report/display-width.js';
import { inertLine } from '../report/inert.js';
import type { PanelOptions } from '../report/panel.js';
import { type CompiledPlan, compilePlan, whatIfOf } from './compile-plan.js';
import { QUESTION } from './confirm.js';
import { openLineReader } from './line-reader.js';
import { completePrompt, PROMPT_COMMANDS, type PromptCommand, readPromptCommand } from './prompt-command.js';

/** Where a conversation takes place. */
export interface Conversation {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly panel: () => PanelOptions;
}

/**
 * Talks about the plan until it is confirmed or not: answers questions, and changes what a run can still change. The
 * plan as it was confirmed; `undefined` where it was not. The end of the input and Ctrl-C are a no.
 */
export async function talkAbout(compiled: CompiledPlan, place: Conversation): Promise<CompiledPlan | undefined> {
  const tasks = [...compiled.plan.tasks, ...compiled.plan.finally].map(({ id }) => id);
  const reader = openLineReader(place.input, place.output, (line) => completePrompt(line, tasks));
  let current = compiled;
  try {
    for (;;) {
      const line = await reader.ask(QUESTION);
      if (line === undefined) return undefined;
      const command = readPromptCommand(line, tasks);
      if (command.kind === 'yes') return current;
      if (command.kind === 'no') return undefined;
      const changed = changedBy(command, current);
      if (changed !== undefined) current = changed;
      place.output.write(`${await answerTo(command, current, place.panel())}\n`);
    }
  } finally {
    reader.close();
  }
}

/** The panel has waves in either case: they are the names of depths then. */
const SYNC: Readonly<Record<CompiledPlan['plan']['sync'], string>> = {
  wave: 'sync wave: each wave waits for the one before.',
  eager: 'sync eager: each subtask starts as soon as its own needs are done, whatever else its wave waits for.',
};

type Question = Exclude<PromptCommand, { readonly kind: 'yes' | 'no' }>;

/** The plan with a change laid over it; `undefined` where the command changes nothing. */
function changedBy(command: Question, compiled: CompiledPlan): CompiledPlan | undefined {
  switch (command.kind) {
    case 'agents':
      return recompiled(compiled, { agents: command.setting });
    case 'backup':
      return recompiled(compiled, { backup: command.mode });
    case 'sync':
      return recompiled(compiled, { sync: command.mode });
    default:
      return undefined;
  }
}

/** By the same machine, history and rules. */
function recompiled(compiled: CompiledPlan, overrides: PlanOverrides): CompiledPlan {
  const { plan, methodology, machine, calibration, history, overheadSeconds, policy } = compiled;
  return compilePlan(overridePlan(plan, overrides), methodology, { machine, calibration, history, overheadSeconds, policy });
}

/** The commands in one column and what they do in another; where there is no room for two, below each other. */
function helpText(width: number): string {
  const names = 24;
  const lines = PROMPT_COMMANDS.flatMap(([name, argument, what]) => {
    const usage = `  ${`${name} ${argument}`.trimEnd()}`;
    if (width < 2.5 * names) return [usage, ...wrapText(`      ${what}`, width, '      ')];
    const [first = '', ...rest] = wrapText(what, width - names - 2, '');
    return [`${usage.padEnd(names + 2)}${first}`, ...rest.map((part) => `${' '.repeat(names + 2)}${part}`)];
  });
  return lines.join('\n');
}

async function answerTo(command: Question, { plan, analysis, ...rest }: CompiledPlan, panel: PanelOptions): Promise<string> {
  const { width = 80 } = panel;
  switch (command.kind) {
    case 'unclear':
      return wrapText(inertLine(command.answer), width, '  ').join('\n');
    case 'help':
      return helpText(width);
    case 'why': {
      const { renderWhy } = await import('../report/prompt-answers.js');
      return renderWhy(analysis, panel);
    }
    case 'waves': {
      const { renderWaves } = await import('../report/prompt-answers.js');
      return renderWaves(analysis, panel);
    }
    case 'task': {
      const { renderTask } = await import('../report/prompt-answers.js');
      const task = [...plan.tasks, ...plan.finally].find(({ id }) => id === command.id);
      return task === undefined ? `There is no task '${inertLine(command.id)}'` : renderTask(task, analysis, panel);
    }
    case 'what-if': {
      const { renderWhatIf } = await import('../report/what-if-table.js');
      return renderWhatIf(whatIfOf({ plan, analysis, ...rest }), panel);
    }
    case 'show':
    case 'agents':
    case 'backup':
    case 'sync': {
      const { renderAnalysis } = await import('../report/analysis-panel.js');
      const panels = renderAnalysis(analysis, panel);
      return command.kind === 'sync' ? `${panels}\n${wrapText(SYNC[command.mode], width, '  ').join('\n')}` : panels;
    }
    default:
      return unreachable(command);
  }
}
