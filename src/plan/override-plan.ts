import type { AgentsSetting, RetryPolicy, TaskDefinition, ValidPlan } from './valid-plan.js';

/** What a user says on the command line, which beats what the plan says; what is absent leaves the plan as it is. */
export interface PlanOverrides {
  readonly agents?: AgentsSetting | undefined;
  readonly backup?: ValidPlan['backup'] | undefined;
  readonly sync?: ValidPlan['sync'] | undefined;
  /** Attempts beyond the first, for every task. */
  readonly retries?: number | undefined;
  /** For every task. */
  readonly timeoutMs?: number | undefined;
}

/** The plan with the overrides laid over it. `--agents auto` also takes back a count that the request asks for. */
export function overridePlan(plan: ValidPlan, overrides: PlanOverrides): ValidPlan {
  const { agents, backup, sync, retries, timeoutMs } = overrides;
  const task = (definition: TaskDefinition): TaskDefinition => ({
    ...definition,
    retries: retries === undefined ? definition.retries : withMax(definition.retries, retries),
    timeoutMs: timeoutMs ?? definition.timeoutMs,
  });
  return {
    ...plan,
    agents: agents ?? plan.agents,
    request: agents?.kind === 'auto' ? { mode: 'AUTOMATIC_SCALING', task: plan.request.task } : plan.request,
    backup: backup ?? plan.backup,
    sync: sync ?? plan.sync,
    tasks: plan.tasks.map(task),
    finally: plan.finally.map(task),
  };
}

/** As if the plan said so: with 0, nothing is repeated at all. */
function withMax({ never: _, ...policy }: RetryPolicy, max: number): RetryPolicy {
  return { ...policy, max, ...(max === 0 && { never: true as const }) };
}
