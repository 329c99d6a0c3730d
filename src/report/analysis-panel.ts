import type { DependencyClass } from '../graph/task-graph.js';
import type { TaskOutline } from '../model/run-event.js';
import type { PlanAnalysis, WaveAnalysis } from './analysis.js';
import { counted, efficiency, figure, humanDuration, minutes, minutesAndHours, NOT_KNOWN } from './figures.js';
import { inertLine, shorten } from './inert.js';
import { otherMachinesText } from './other-machines.js';
import { drawPanel, line, type PanelLine, type PanelOptions, type PanelSection, tree } from './panel.js';
import { scalingSection } from './scaling-section.js';

/** What is shown before a run: the request, the scaling decision with its figures, the waves and the summary. No newline at the end. */
export function renderAnalysis(analysis: PlanAnalysis, options: PanelOptions): string {
  return drawPanel(
    [
      taskSection(analysis),
      scalingSection(analysis.decision, analysis.expanding.length > 0),
      waveSection(analysis),
      summarySection(analysis),
    ],
    options,
  );
}

const BLANK = line('');
/** Branches of a wave's tree before the rest is counted. */
const MOST_TASKS = 5;
const MOST_WAVES = 40;
const MOST_TEXT = 600;

const DEPENDENCIES: Readonly<Record<DependencyClass, string>> = {
  none: 'None',
  shallow: 'Shallow',
  moderate: 'Moderate',
  deep: 'Deep',
};

const SOURCES: Readonly<Record<PlanAnalysis['average']['source'], string>> = {
  history: 'from earlier runs',
  estimate: 'from `estimate`',
  assumed: 'assumed: no `estimate`, no earlier run; the first subtasks are a probe, and the decision follows it',
  probe: 'measured in this run',
};

function taskSection(analysis: PlanAnalysis): PanelSection {
  return {
    title: '🔍 TASK ANALYSIS COMPLETE',
    lines: [
      line(`Task: ${shorten(analysis.task, MOST_TEXT)}`),
      BLANK,
      line(`PATTERN DETECTED: ${analysis.pattern}`),
      line(`SUBTASKS: ${subtasksText(analysis)} identified`),
      line(`DEPENDENCIES: ${DEPENDENCIES[analysis.dependencies]}`),
      line(`TASK TYPE: ${analysis.type}`),
      line(`AVG DURATION: ${averageText(analysis)}`),
    ],
  };
}

function subtasksText(analysis: PlanAnalysis): string {
  if (analysis.expanding.length === 0) return figure(analysis.subtasks);
  return `${figure(analysis.subtasks)}+ (${expansionText(analysis)})`;
}

function expansionText({ expanding }: PlanAnalysis): string {
  const shown = expanding.slice(0, 3).map(({ task, afterWave }) => `${task} expands after wave ${afterWave}`);
  if (expanding.length > shown.length) shown.push(`${expanding.length - shown.length} more expand later`);
  return shown.join(', ');
}

function averageText({ average }: PlanAnalysis): string {
  if (average.minutes === undefined || !Number.isFinite(average.minutes)) {
    return `${NOT_KNOWN} (no \`estimate\` in the plan) minutes per subtask`;
  }
  return `${figure(average.minutes)} minutes per subtask (${humanDuration(average.minutes * 60_000)}, ${SOURCES[average.source]})`;
}

function waveSection(analysis: PlanAnalysis): PanelSection {
  const shown = analysis.waves.slice(0, MOST_WAVES);
  const lines = [...backupLines(analysis.backup), ...shown.flatMap((wave) => [BLANK, ...waveLines(wave, analysis)])];
  if (analysis.waves.length > shown.length)
    lines.push(BLANK, line(`... (${counted(analysis.waves.length - shown.length, 'more wave')})`, 'dim'));
  if (analysis.finally.length > 0) {
    lines.push(BLANK, line('Finally (1 agent) - after the waves, whatever happened'), ...taskTree(analysis.finally, undefined));
  }
  lines.push(BLANK, line('Final Report (1 agent)'), ...tree('  ', ['Aggregate results and generate report']));
  return { title: '🌊 WAVE STRUCTURE', lines };
}

function backupLines(backup: PlanAnalysis['backup']): readonly PanelLine[] {
  switch (backup) {
    case 'commit':
      return [
        line(`Wave 0: Safety Backup (1 agent) - time ${NOT_KNOWN} (depends on the repository)`),
        ...tree('  ', ['Create git commit checkpoint']),
      ];
    case 'ref':
      return [
        line(`Wave 0: Safety Backup (1 agent) - time ${NOT_KNOWN} (depends on the repository)`),
        ...tree('  ', ['Save the tree as a git commit under a ref of its own; the branch stays as it is']),
      ];
    case 'none':
      return [
        line('Wave 0: Safety Backup (none)', 'warn'),
        ...tree('  ', ['The plan sets `backup: none`: this run cannot be undone']),
      ];
  }
}

function waveLines(wave: WaveAnalysis, analysis: PlanAnalysis): readonly PanelLine[] {
  const agents = `${counted(wave.agents, 'agent')}${wave.agents > 1 ? ' - parallel' : ''}`;
  const time = wave.predictedMinutes === undefined ? `time ${NOT_KNOWN} (${waveUnknown(wave)})` : minutes(wave.predictedMinutes);
  return [line(`Wave ${wave.number}: ${wave.name} (${agents}) - ${time}`), ...taskTree(wave.tasks, analysis)];
}

function waveUnknown(wave: WaveAnalysis): string {
  const open = wave.tasks.find((task) => task.subtasks === undefined);
  return open === undefined ? 'no `estimate` in the plan' : `${open.id} has not expanded`;
}

function taskTree(tasks: readonly TaskOutline[], analysis: PlanAnalysis | undefined): readonly PanelLine[] {
  const shown = tasks.length > MOST_TASKS ? tasks.slice(0, MOST_TASKS - 1) : tasks;
  const branches = shown.map((task) =>
    task.skipped === undefined
      ? `${task.id}${sizeText(task, analysis)}: ${shorten(task.work, 160)}`
      : `${task.id}: skipped because ${shorten(inertLine(task.skipped), 160)}`,
  );
  if (tasks.length > shown.length) branches.push(`... (${counted(tasks.length - shown.length, 'more task')})`);
  return tree('  ', branches);
}

function sizeText(task: TaskOutline, analysis: PlanAnalysis | undefined): string {
  if (!task.fanOut) return '';
  if (task.subtasks !== undefined) return ` (${counted(task.subtasks, 'subtask')})`;
  const expanding = analysis?.expanding.find((candidate) => candidate.task === task.id);
  return expanding === undefined ? ' (size not known yet)' : ` (expands after wave ${expanding.afterWave})`;
}

function summarySection(analysis: PlanAnalysis): PanelSection {
  const { decision, peak, predictedSeconds, sequentialMinutes, otherMachines } = analysis;
  const unknown = `${NOT_KNOWN} (${analysis.expanding.length > 0 ? expansionText(analysis) : 'no `estimate` in the plan'})`;
  const predicted = predictedSeconds === undefined || !Number.isFinite(predictedSeconds) ? undefined : predictedSeconds / 60;
  const faster = efficiency(sequentialMinutes, predicted);
  return {
    title: '📊 EXECUTION SUMMARY',
    lines: [
      line(`TOTAL AGENTS: ${figure(decision.decided.agents)} (${decision.mode})`),
      line(`PEAK AGENTS: ${figure(peak.agents)} (Wave ${peak.wave})`),
      line(`TOTAL WAVES: ${figure(analysis.totalWaves)}${analysis.backup === 'none' ? '' : ' (and wave 0, the backup)'}`),
      line(`ESTIMATED TIME: ${predicted === undefined ? unknown : minutes(predicted)}`),
      line(`SEQUENTIAL TIME: ${sequentialMinutes === undefined ? unknown : minutesAndHours(sequentialMinutes)}`),
      ...(otherMachines === undefined ? [] : [line(`OTHER MACHINES: ${otherMachinesText(otherMachines)}`)]),
      line(`EFFICIENCY: ${faster ?? unknown}`, faster?.includes('faster ✅') === true ? 'good' : 'plain'),
    ],
  };
}
