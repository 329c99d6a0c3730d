/**
 * The library: what the command line does, as functions.
 *
 * ```ts
 * import { compilePlan, loadMethodology, loadPlan, runPlan } from 'waveplan';
 *
 * const plan = loadPlan('plans/rename.yaml');
 * const methodology = loadMethodology();
 * if (plan.ok && methodology.ok) {
 *   const done = await runPlan(compilePlan(plan.value, methodology.value));
 *   if (done.ok) console.log(done.value.summary.status);
 * }
 * ```
 */
export type { ExecResult, TaskContext, TaskFunction } from './actions/task-context.js';
export type { EnvironmentProblem } from './checkpoint/problem.js';
export { type CompiledPlan, compilePlan } from './cli/compile-plan.js';
export type { RunResult } from './cli/finish-run.js';
export { type RunPlanOptions, runPlan } from './cli/run-plan.js';
export { RunControl, type StopReason } from './execute/run-control.js';
export type { Checkpoint } from './model/checkpoint.js';
export type { Diagnostic } from './model/diagnostic.js';
export type { Failure } from './model/failure.js';
export type { JsonObject, JsonValue } from './model/json.js';
export type { Result } from './model/result.js';
export type { RunEvent } from './model/run-event.js';
export type { ScalingDecision } from './model/scaling-decision.js';
export { loadPlan } from './plan/load-plan.js';
export { loadMethodology, type Methodology } from './plan/methodology.js';
export type { ValidPlan } from './plan/valid-plan.js';
export type { PlanAnalysis } from './report/analysis.js';
export type { RunSummary } from './report/run-summary.js';
export { type MachineProfile, readMachine } from './scaling/machine.js';
