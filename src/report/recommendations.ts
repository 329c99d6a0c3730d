import { counted, figure, humanDuration } from './figures.js';
import { failureText } from './outcomes.js';
import type { Recommendation, RunFacts, TaskSummary } from './run-summary.js';

/** What to do next, by rules over the run's facts; the most pressing first, never empty. */
export function recommendationsOf(facts: RunFacts): readonly Recommendation[] {
  const all = RULES.flatMap((rule) => rule(facts));
  return all.length > 0
    ? all
    : [{ action: 'Nothing needs to be done', reason: 'no rule of this report found anything to improve' }];
}

type Rule = (facts: RunFacts) => readonly Recommendation[];

/** A prediction further off than this is worth an estimate. */
const OFF_BY = 0.25;
/** Below this, start-up and chance decide, and a prediction cannot be held to account. */
const LEAST_OFF_SECONDS = 1;

const RULES: readonly Rule[] = [
  lookAtFailures,
  lookAtRetries,
  undo,
  slowerThanSequential,
  fewerAgents,
  runEagerly,
  giveEstimate,
  measureOverhead,
];

function lookAtFailures({ failures, tasks }: RunFacts): readonly Recommendation[] {
  const [worst] = failures;
  if (worst === undefined) return [];
  const [task] = tasks.filter(({ failed }) => failed > 0).sort((a, b) => b.failed - a.failed);
  const where =
    task === undefined ? '' : ` in task ${task.id} (${figure(task.failed)} of ${figure(task.failed + task.success)} failed)`;
  return [{ action: `Look at ${worst.subtasks[0] ?? 'the first failure'} first${where}`, reason: failureText(worst) }];
}

function lookAtRetries({ tasks, totals }: RunFacts): readonly Recommendation[] {
  const [task] = tasks.filter(({ retried }) => retried > 0).sort((a, b) => b.retried - a.retried);
  if (task === undefined) return [];
  return [
    {
      action: `Find out why task ${task.id} fails at first`,
      reason: `${counted(totals.retried, 'subtask')} succeeded only after a retry, ${figure(task.retried)} of them in ${task.id}`,
    },
  ];
}

function undo({ backup, run }: RunFacts): readonly Recommendation[] {
  if (backup === undefined || backup.mode === 'none' || run === undefined) return [];
  const commit = backup.commit.slice(0, 12);
  const reason =
    backup.mode === 'ref'
      ? `the tree as it was is kept in ${backup.ref} (${commit})`
      : backup.created
        ? `the tree as it was is in the backup commit ${commit} on ${backup.branch}`
        : `there was nothing to commit: ${commit} on ${backup.branch} is the tree as it was`;
  return [{ action: `To undo this run: waveplan restore ${run}`, reason }];
}

function slowerThanSequential({ efficiency, baselineMs, totalMs, status }: RunFacts): readonly Recommendation[] {
  if (status !== 'done' || efficiency === undefined || efficiency > -0.005) return [];
  return [
    {
      action: 'Use fewer agents, or larger subtasks (`batch`)',
      reason: `the run took ${humanDuration(totalMs)}, its subtasks one after another ${humanDuration(baselineMs)}`,
    },
  ];
}

function fewerAgents({ peak, agentsPlanned, status }: RunFacts): readonly Recommendation[] {
  if (status !== 'done' || agentsPlanned === undefined || peak.agents < 1 || peak.agents >= agentsPlanned) return [];
  return [
    {
      action: `Use ${counted(peak.agents, 'agent')} (--agents ${peak.agents})`,
      reason: `${figure(agentsPlanned)} were planned, no more than ${figure(peak.agents)} had work at once`,
    },
  ];
}

/** Barriers that cost less than this, and than this share of the waves' time, are not worth a change. */
const LEAST_BARRIER_SECONDS = 0.5;
const LEAST_BARRIER_SHARE = 0.1;

function runEagerly({ barrier, wavesMs }: RunFacts): readonly Recommendation[] {
  if (barrier === undefined || barrier.seconds < LEAST_BARRIER_SECONDS) return [];
  if (barrier.seconds < (LEAST_BARRIER_SHARE * wavesMs) / 1000) return [];
  const cost = humanDuration(barrier.seconds * 1000);
  return [{ action: 'Let subtasks start when what they need is done (--sync eager)', reason: `the barriers cost ${cost}` }];
}

function giveEstimate({ score, tasks, status }: RunFacts): readonly Recommendation[] {
  if (status !== 'done' || score?.errorShare === undefined) return [];
  const { predictedSeconds, actualSeconds, errorShare } = score;
  if (errorShare <= OFF_BY || Math.abs(predictedSeconds - actualSeconds) < LEAST_OFF_SECONDS) return [];
  const reason = `predicted ${humanDuration(predictedSeconds * 1000)}, took ${humanDuration(actualSeconds * 1000)}`;
  const [heaviest] = [...tasks].sort((a, b) => b.busyMs - a.busyMs);
  const estimate = heaviest === undefined ? undefined : estimateText(heaviest);
  if (heaviest === undefined || estimate === undefined) return [{ action: 'Give the tasks an `estimate`', reason }];
  return [{ action: `Give task ${heaviest.id} an \`estimate: ${estimate}\``, reason }];
}

/** The median in the plan's own notation, whole milliseconds or seconds. */
function estimateText({ medianMs }: TaskSummary): string | undefined {
  if (medianMs === undefined || medianMs < 1) return undefined;
  return medianMs < 10_000 ? `${Math.round(medianMs)}ms` : `${Math.round(medianMs / 1000)}s`;
}

function measureOverhead({ decision }: RunFacts): readonly Recommendation[] {
  if (decision?.overhead.source !== 'methodology') return [];
  return [
    {
      action: 'Take the scaling figures as a first guess until the overhead is measured',
      reason: `the overhead of ${figure(decision.overhead.secondsPerAgent)} s per agent is the methodology's default, not measured on this machine`,
    },
  ];
}
