import type { Overhead, ScalingDecision, ScalingMode } from '../model/scaling-decision.js';
import { counted, figure, humanDuration, minutes, minutesAndHours, timeSaved } from './figures.js';
import { drawPanel, line, type PanelLine, type PanelOptions, type PanelSection, tree } from './panel.js';

/** The decision as a panel of its own, for a decision without a plan. No newline at the end. */
export function renderDecision(decision: ScalingDecision, options: PanelOptions): string {
  return drawPanel([scalingSection(decision, false)], options);
}

const BLANK = line('');

const MODES: Readonly<Record<ScalingMode, string>> = {
  AUTOMATIC_SCALING: 'Automatic Scaling (Intelligent)',
  USER_OVERRIDE: 'User Override (Explicit Agent Count)',
};

/**
 * The decision with every figure that led to it.
 * @param partial whether fan-outs whose size is not known yet are left out of the figures.
 */
export function scalingSection(decision: ScalingDecision, partial: boolean): PanelSection {
  return {
    // Not the level slider of other tools' panels: terminals disagree about its width.
    title: '📐 INTELLIGENT SCALING DECISION',
    lines: [
      line(`MODE: ${MODES[decision.mode]}`),
      BLANK,
      ...calculation(decision, partial),
      ...(decision.mode === 'USER_OVERRIDE' ? [BLANK, ...override(decision)] : []),
      ...decision.warnings.map((warning) => line(`⚠ ${warning}`, 'warn')),
    ],
  };
}

function calculation(decision: ScalingDecision, partial: boolean): readonly PanelLine[] {
  const { roi } = decision;
  const known = partial ? ', known subtasks only' : '';
  const branches = [
    `Maximum parallelism: ${counted(decision.widestWave, 'task')}`,
    `Coordination overhead: ${minutes(roi.overheadMinutes)}, ${overheadText(decision.overhead)}`,
    `Sequential time: ${minutesAndHours(decision.sequentialMinutes)}${known}`,
    `Parallel time: ${minutes(decision.sequentialMinutes - roi.timeSavedMinutes)} with ${counted(roi.agents, 'agent')}${known}`,
    `Time saved: ${timeSaved(roi.timeSavedMinutes)}`,
    `ROI ratio: ${ratioText(roi.ratio)} (${roi.band})`,
    `Formula: ${counted(decision.formula.agents, 'agent')} (${decision.formula.phase})`,
    `Capacity: ${counted(decision.capacity.agents, 'agent')} (${decision.capacity.limit}: ${decision.capacity.reason})`,
    `Fit: ${counted(decision.fit.agents, 'agent')}, predicted ${humanDuration(decision.fit.seconds * 1000)}`,
    `Reason: ${decision.decided.reason}`,
  ];
  if (decision.mode === 'USER_OVERRIDE') return [line('CALCULATION:'), ...tree('', branches)];
  const drawn = tree('', [...branches, `DECISION: Use ${counted(decision.decided.agents, 'agent')} (optimal) ✅`]);
  return [line('CALCULATION:'), ...drawn.slice(0, -1), ...drawn.slice(-1).map((last) => ({ ...last, tone: 'good' as const }))];
}

/** A return in words; without any overhead, the ratio is the largest number there is. */
export function ratioText(ratio: number): string {
  return ratio < Number.MAX_VALUE ? `${figure(ratio)}x return on overhead` : 'no overhead to return on';
}

function overheadText(overhead: Overhead): string {
  const perAgent =
    overhead.secondsPerAgent >= 0.1 ? `${figure(overhead.secondsPerAgent)} s` : humanDuration(overhead.secondsPerAgent * 1000);
  switch (overhead.source) {
    case 'methodology':
      return `${perAgent} per agent, not measured`;
    case 'given':
      return `${perAgent} per agent, as given`;
    case 'measured': {
      const origin = overhead.origin === undefined || overhead.origin === '' ? '' : ` (${overhead.origin})`;
      return `${perAgent} per agent, measured${origin}`;
    }
  }
}

function override(decision: ScalingDecision): readonly PanelLine[] {
  const { fit, formula, capacity, decided } = decision;
  return [
    line(`USER REQUESTED: ${counted(decision.requested ?? decided.agents, 'agent')} ✅`),
    line(`SYSTEM CALCULATED: ${counted(fit.agents, 'agent')} (automatic mode; formula ${figure(formula.agents)})`),
    line(`RESOURCE CAPACITY: ${counted(capacity.agents, 'agent')} max`),
    line(`DECISION: Using ${counted(decided.agents, 'agent')} per user request`, 'good'),
    line(`Note: ${comparison(decided.agents, fit.agents)}`),
  ];
}

function comparison(used: number, automatic: number): string {
  if (used === automatic) return 'the same as automatic mode would use';
  const difference = `${figure(Math.abs(used - automatic))} ${used > automatic ? 'more' : 'fewer'}`;
  return `${difference} than automatic mode would use (${figure(automatic)})`;
}
