import { counted, figure, humanDuration } from './figures.js';
import { inertLine, shorten } from './inert.js';
import type { ChecklistPoint, RunFacts } from './run-summary.js';

/** The methodology's twelve points, each settled by a fact of the run's events; a point without its fact is not done. */
export function executionChecklist(facts: RunFacts, planShown: boolean | undefined): readonly ChecklistPoint[] {
  return [
    methodology(facts),
    request(facts),
    complexity(facts),
    agentCount(facts),
    waveStructure(facts),
    prompts(facts),
    presented(facts, planShown),
    confirmation(facts),
    waveZero(facts),
    waves(facts),
    checks(facts),
    {
      point: 'Generate final report (comprehensive results)',
      done: facts.status !== 'running',
      evidence: facts.status === 'running' ? 'the run has not ended' : `this report, from ${counted(facts.events, 'event')}`,
    },
  ];
}

/** Prompts are made of the plan and of the results that they read, whenever they are asked for. */
function prompts({ tasks }: RunFacts): ChecklistPoint {
  return {
    point: 'Create specialized prompts (atomic and focused)',
    done: tasks.length > 0,
    evidence: tasks.length > 0 ? `waveplan prompts prints one for each subtask of ${counted(tasks.length, 'task')}` : NO_START,
  };
}

const NO_START = 'the start of the run is not recorded';

function methodology({ methodologyHash }: RunFacts): ChecklistPoint {
  const hash = methodologyHash === undefined || methodologyHash === '' ? undefined : inertLine(methodologyHash);
  return {
    point: hash === undefined ? 'Read the methodology' : `Read the methodology (hash ${hash})`,
    done: hash !== undefined,
    evidence: hash === undefined ? NO_START : 'its hash is recorded with the start of the run',
  };
}

function request({ task, mode, decision }: RunFacts): ChecklistPoint {
  const asked = decision?.requested === undefined ? '' : `, ${counted(decision.requested, 'agent')} asked for`;
  return {
    point: 'Parse user request (detect mode and agent count)',
    done: task !== undefined && mode !== undefined,
    evidence: task === undefined || mode === undefined ? NO_START : `${mode}${asked}: ${shorten(inertLine(task), 120)}`,
  };
}

function complexity({ decision }: RunFacts): ChecklistPoint {
  const evidence =
    decision === undefined
      ? NO_START
      : `${counted(decision.subtasks, 'subtask')}, at most ${figure(decision.widestWave)} at once, ` +
        `${humanDuration(decision.averageMinutes * 60_000)} each, ${decision.type}`;
  return { point: 'Analyze task complexity (subtasks, dependencies, duration)', done: decision !== undefined, evidence };
}

function agentCount({ decision, redecisions }: RunFacts): ChecklistPoint {
  const again =
    redecisions.length === 0
      ? ''
      : `; decided again ${redecisions.length === 1 ? 'once' : `${redecisions.length} times`} during the run`;
  const evidence =
    decision === undefined
      ? NO_START
      : `${counted(decision.decided.agents, 'agent')} (formula ${figure(decision.formula.agents)}, ${decision.formula.phase})${again}`;
  return { point: 'Calculate optimal agent count (or use user-specified)', done: decision !== undefined, evidence };
}

function waveStructure({ waves, methodologyHash }: RunFacts): ChecklistPoint {
  const done = methodologyHash !== undefined && waves.length > 0;
  const names = waves.slice(0, 4).map(({ name }) => inertLine(name));
  const more = waves.length > names.length ? ', ...' : '';
  return {
    point: 'Generate wave structure (checkpoint-based)',
    done,
    evidence: done ? `${counted(waves.length, 'wave')}: ${names.join(', ')}${more}` : NO_START,
  };
}

function presented({ confirmed }: RunFacts, planShown: boolean | undefined): ChecklistPoint {
  const point = 'Present execution plan (comprehensive summary)';
  if (confirmed === undefined) return { point, done: false, evidence: NO_START };
  if (confirmed === 'prompt') return { point, done: true, evidence: 'shown above the question that was answered' };
  if (planShown !== undefined)
    return {
      point,
      done: planShown,
      evidence: planShown ? 'shown before the start' : 'output was turned off or is for programs',
    };
  return { point, done: 'not applicable', evidence: 'nobody was asked, and the record does not say whether it was shown' };
}

function confirmation({ confirmed }: RunFacts): ChecklistPoint {
  const point = 'Wait for user confirmation (explicit "yes")';
  switch (confirmed) {
    case undefined:
      return { point, done: false, evidence: NO_START };
    case 'prompt':
      return { point, done: true, evidence: 'answered at the prompt' };
    case 'flag':
      return { point, done: true, evidence: 'given in advance with --yes' };
    case 'library':
      return { point, done: 'not applicable', evidence: 'started by a program through the library' };
  }
}

function waveZero({ backup, backupMs }: RunFacts): ChecklistPoint {
  const point = 'Execute Wave 0 (git backup)';
  if (backup === undefined) return { point, done: false, evidence: 'no backup is recorded' };
  const time = backupMs === undefined ? '' : ` in ${humanDuration(Math.max(0, backupMs))}`;
  switch (backup.mode) {
    case 'none':
      return { point, done: 'not applicable', evidence: 'backup: none' };
    case 'commit':
      return {
        point,
        done: true,
        evidence: backup.created
          ? `commit ${backup.commit.slice(0, 12)} on ${inertLine(backup.branch)}${time}`
          : `nothing to commit: ${backup.commit.slice(0, 12)} on ${inertLine(backup.branch)} is the backup`,
      };
    case 'ref':
      return { point, done: true, evidence: `commit ${backup.commit.slice(0, 12)} under ${inertLine(backup.ref)}${time}` };
  }
}

function waves({ waves: all }: RunFacts): ChecklistPoint {
  const ended = all.filter(({ durationMs }) => durationMs !== undefined).length;
  return {
    point: 'Execute subsequent waves (parallel within, sequential between)',
    done: all.length > 0 && ended === all.length,
    evidence: `${figure(ended)} of ${counted(all.length, 'wave')} ended`,
  };
}

function checks({ waves: all }: RunFacts): ChecklistPoint {
  const point = 'Validate checkpoints (between each wave)';
  const started = all.filter(({ agents, durationMs }) => agents > 0 || durationMs !== undefined);
  const verdicts = started.flatMap(({ check }) => (check === undefined ? [] : [check.verdict]));
  const tally = (['READY', 'INCOMPLETE', 'FAILED'] as const)
    .map((verdict) => ({ verdict, count: verdicts.filter((given) => given === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${figure(count)} ${verdict}`);
  return {
    point,
    done: started.length > 0 && verdicts.length === started.length,
    evidence: `${figure(verdicts.length)} of ${counted(started.length, 'started wave')} checked${tally.length > 0 ? `: ${tally.join(', ')}` : ''}`,
  };
}
