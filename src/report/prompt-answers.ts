import type { WaveOutline } from '../model/run-event.js';
import type { FormulaPhase } from '../model/scaling-decision.js';
import type { FanOutSource, TaskDefinition } from '../plan/valid-plan.js';
import type { PlanAnalysis } from './analysis.js';
import { counted, figure, humanDuration } from './figures.js';
import { inertLine, shorten } from './inert.js';
import { drawPanel, line, type PanelLine, type PanelOptions, tree } from './panel.js';

const MOST_ROWS = 300;

const RULES: Readonly<Record<FormulaPhase, string>> = {
  sequential: 'nothing can run at once, so one agent does it all',
  find_optimal: 'the overhead would eat what is saved, so the number with the least total time is taken',
  task_type: 'as many as there is work at once, bounded by what limits this type of work',
  micro_task: 'the subtasks are short, so the overhead may be at most 10% of the work',
  long_task: 'the subtasks are long, so the overhead does not matter: one agent for each that can run at once',
};

const SOURCES: Readonly<Record<PlanAnalysis['average']['source'], string>> = {
  history: 'measured in earlier runs',
  estimate: 'from the plan',
  assumed: 'assumed, because nothing is known: the first subtasks are measured, and the number follows',
  probe: 'measured in this run',
};

/** Why the plan runs with its number of agents: each step of the decision, in words. */
export function renderWhy(analysis: PlanAnalysis, options: PanelOptions): string {
  const { decision, average } = analysis;
  const { formula, capacity, fit, decided, requested, overhead } = decision;
  const lines: PanelLine[] = [
    line(`1. Asked for: ${requested === undefined ? 'no number, so waveplan decides' : counted(requested, 'agent')}`),
    line(
      `2. The work: ${counted(decision.subtasks, 'subtask')}, at most ${figure(decision.widestWave)} at once, ` +
        `${average.minutes === undefined ? 'of unknown duration' : humanDuration(average.minutes * 60_000)} each (${SOURCES[average.source]})`,
    ),
    line(
      `3. An agent costs ${humanDuration(overhead.secondsPerAgent * 1000)}, a wave ${humanDuration(overhead.secondsPerWave * 1000)} ` +
        `(${overhead.origin ?? overhead.source})`,
    ),
    line(`4. The formula says ${counted(formula.agents, 'agent')}: ${RULES[formula.phase]}`),
    line(`5. This machine carries ${counted(capacity.agents, 'agent')}: ${capacity.reason} (${capacity.limit})`),
    line(
      `6. The fit says ${counted(fit.agents, 'agent')}: the fewest that are as fast as the best, predicted ${humanDuration(fit.seconds * 1000)}`,
    ),
    line(''),
    line(`So ${counted(decided.agents, 'agent')}: ${decided.reason}`, 'good'),
    ...decision.warnings.map((warning) => line(`⚠ ${warning}`, 'warn')),
    ...analysis.expanding.map(({ task, afterWave }) =>
      line(`The number is decided again after wave ${afterWave}, when the size of ${task} is known`),
    ),
    line(''),
    line("To change it: 'agents N'. To compare: 'what-if'.", 'dim'),
  ];
  return drawPanel([{ title: `💡 WHY ${counted(decided.agents, 'AGENT', 'AGENTS')}`, lines }], options);
}

/** Every wave with all of its tasks, and what they need. */
export function renderWaves(analysis: PlanAnalysis, options: PanelOptions): string {
  const lines: PanelLine[] = [];
  for (const wave of analysis.waves) {
    if (lines.length > MOST_ROWS) break;
    if (lines.length > 0) lines.push(line(''));
    const time = wave.predictedMinutes === undefined ? 'time not known yet' : humanDuration(wave.predictedMinutes * 60_000);
    lines.push(line(`Wave ${wave.number}: ${wave.name} (${counted(wave.agents, 'agent')}, ${time})`, 'strong'));
    lines.push(...tree('  ', taskTexts(wave)));
  }
  const shown = lines.slice(0, MOST_ROWS);
  if (lines.length > shown.length) shown.push(line('... more: waveplan plan PLAN --json has all of them', 'dim'));
  return drawPanel([{ title: '🌊 WAVES', lines: shown }], options);
}

function taskTexts({ tasks }: WaveOutline): readonly string[] {
  return tasks.map(({ id, needs, fanOut, subtasks, work, skipped }) => {
    if (skipped !== undefined) return `${id}: skipped because ${shorten(inertLine(skipped), 120)}`;
    const size = !fanOut ? '' : subtasks === undefined ? ' (expands later)' : ` (${counted(subtasks, 'subtask')})`;
    const after =
      needs === undefined || needs.length === 0 ? '' : `, after ${needs.slice(0, 6).join(', ')}${needs.length > 6 ? ', …' : ''}`;
    return `${id}${size}${after}: ${shorten(inertLine(work), 120)}`;
  });
}

function needText({ optionalNeeds }: TaskDefinition, need: string): string {
  return optionalNeeds?.includes(need) === true ? `${need} (optional)` : need;
}

/** One task as it will run, with what the plan leaves out filled in. */
export function renderTask(task: TaskDefinition, analysis: PlanAnalysis, options: PanelOptions): string {
  const wave = analysis.waves.find(({ tasks }) => tasks.some(({ id }) => id === task.id));
  const outline = wave?.tasks.find(({ id }) => id === task.id);
  const dependents = analysis.waves.flatMap(({ tasks }) =>
    tasks.filter(({ needs }) => needs?.includes(task.id) === true).map(({ id }) => id),
  );
  const { retries } = task;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Wave', wave === undefined ? 'none: it runs at the end, whatever happens' : `${wave.number}, ${wave.name}`],
    ['Does', workText(task)],
    ['With', task.with === undefined ? undefined : JSON.stringify(task.with)],
    ['Needs', task.needs.length === 0 ? 'nothing' : task.needs.map((need) => needText(task, need)).join(', ')],
    ['Needed by', dependents.length === 0 ? 'nothing' : dependents.join(', ')],
    [
      'For each',
      task.foreach === undefined
        ? undefined
        : `${foreachText(task.foreach)}${task.batch === undefined ? '' : `, ${figure(task.batch)} items a subtask`}`,
    ],
    [
      'Subtasks',
      outline?.fanOut !== true ? undefined : outline.subtasks === undefined ? 'known when it expands' : figure(outline.subtasks),
    ],
    ['Only if', task.if],
    ['Done when', task.success.length === 0 ? undefined : task.success.join(' and ')],
    [
      'Tries',
      retries.max === 0 ? 'one' : `up to ${retries.max + 1}, waiting ${humanDuration(retries.backoffMs)} × ${retries.factor}^n`,
    ],
    ['Time-out', task.timeoutMs === undefined ? 'none' : humanDuration(task.timeoutMs)],
    ['Estimate', task.estimateMs === undefined ? undefined : `${humanDuration(task.estimateMs)} a subtask`],
    ['Works in', task.cwd],
    // Names only: values may be secrets.
    ['Variables', Object.keys(task.env).length === 0 ? undefined : Object.keys(task.env).join(', ')],
  ];
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : [line(`${name}: ${shorten(inertLine(text), 1000)}`)]));
  return drawPanel([{ title: `🔧 TASK ${inertLine(task.id)}`, lines }], options);
}

function workText({ work }: TaskDefinition): string {
  switch (work.kind) {
    case 'shell':
      return `sh: ${work.command.trim()}`;
    case 'argv':
      return `program: ${work.argv.map((part) => JSON.stringify(part)).join(' ')}`;
    case 'module':
      return `module: ${work.uses}`;
    case 'builtin':
      return `built in: ${work.action}`;
  }
}

function foreachText(source: FanOutSource): string {
  switch (source.kind) {
    case 'list':
      return `of a list of ${figure(source.items.length)}`;
    case 'expression':
      return source.expression;
    case 'matrix':
      return `of every combination of ${source.axes.map(({ name }) => name).join(', ')}`;
    case 'file':
      return `of the file ${source.path}`;
    case 'each':
      return `subtask of ${source.task}, as it ends`;
  }
}
