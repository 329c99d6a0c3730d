import { resolve } from 'node:path';
import type { Diagnostic } from '../model/diagnostic.js';
import type { JsonObject } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { TASK_TYPES } from '../model/scaling-decision.js';
import { parseAgents } from './agents-setting.js';
import { checkNeeds } from './check-needs.js';
import { ExpressionChecker, noFindings } from './expression-check.js';
import { readFailure } from './failure.js';
import { readDocuments } from './include.js';
import { mergeDocuments } from './merge-documents.js';
import { ModuleFinder } from './module-path.js';
import { readParams } from './params.js';
import { readPatience } from './patience.js';
import { type Problem, type Report, toDiagnostics, withoutFollowUps, withoutWants } from './problems.js';
import { parseRate, parseSize } from './quantities.js';
import { envOf, readTask, type TaskDraft, type TaskSurroundings } from './read-task.js';
import { parseRequest } from './request.js';
import { tasksShape } from './result-shapes.js';
import {
  entriesOf,
  entryAt,
  itemsOf,
  numberOf,
  type SourceNode,
  spanInText,
  textOf,
  valueAt,
  writtenText,
} from './source-node.js';
import { SourceTexts } from './source-texts.js';
import { applyTemplates } from './task-templates.js';
import type {
  AgentsSetting,
  IncludedFile,
  PlanLimits,
  PlanRequest,
  PoolLimits,
  TaskDefinition,
  ValidPlan,
} from './valid-plan.js';

/** Where a plan's text comes from, and what the user set. */
export interface ParsePlanOptions {
  /** Path of the plan; modules are looked for relative to its folder. */
  readonly file: string;
  /** The file as diagnostics name it; absent: `file`. */
  readonly displayName?: string | undefined;
  /** Texts of `--param`, by name. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  /** Values that an earlier run had; those that the plan declares no more are left out. `params` beat them. */
  readonly earlierParams?: JsonObject | undefined;
  /** The plan ran once and is read to be compared with another: modules that it names may be gone by now. */
  readonly ranBefore?: boolean;
  /** Included files as they were when the plan ran, in place of those on the disk. */
  readonly includes?: readonly IncludedFile[] | undefined;
}

/**
 * Reads a plan. The error lists every mistake that can be found, sorted by place, each once: the checks are independent,
 * so that an unknown key does not hide a circle. Warnings refuse no plan: a valid one has them. Never throws, whatever the text.
 */
export function parsePlan(text: string, options: ParsePlanOptions): Result<ValidPlan, readonly Diagnostic[]> {
  const problems: Problem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const sources = new SourceTexts({ file: resolve(options.file), displayName: options.displayName ?? options.file, text });
  const { roots, damages, incomplete } = readDocuments(sources, report, options.includes);
  const merged = mergeDocuments(roots, sources, report);
  const plan = merged && readPlan(applyTemplates(merged, report), { sources, options, report });
  const told = withoutFollowUps(incomplete ? withoutWants(problems) : problems, damages);
  const diagnostics = toDiagnostics(told, sources, 'PLAN');
  if (diagnostics.some(({ severity }) => severity === 'error')) return err(diagnostics);
  if (plan === undefined) throw new Error('Internal error: a plan without mistakes that is not complete');
  return ok({ ...plan, warnings: diagnostics });
}

interface Reading {
  readonly sources: SourceTexts;
  readonly options: ParsePlanOptions;
  readonly report: Report;
}

/** Runs every check over the merged document; the plan is complete where none of them reported an error. */
function readPlan(root: SourceNode, { sources, options, report }: Reading): Omit<ValidPlan, 'warnings'> | undefined {
  const { text } = sources;
  checkTasks(root, report);

  const params = readParams(root, { given: options.params ?? {}, earlier: options.earlierParams ?? {} }, report);
  const taskNames = new Set([...entriesOf(valueAt(root, 'tasks'))].map(([name]) => name));
  const expressions = new ExpressionChecker({ text, paramNames: params.names, taskNames, report });
  const envNode = valueAt(root, 'env');
  const envFindings = noFindings();
  expressions.template(envNode, ['params', 'env'], envFindings);
  const secrets = new Set(itemsOf(valueAt(root, 'secrets')).flatMap((item) => textOf(item) ?? []));
  const around: TaskSurroundings = {
    sources,
    report,
    expressions,
    modules: new ModuleFinder(sources, { mustExist: options.ranBefore !== true }),
    params,
    secrets,
    pools: new Map([...entriesOf(valueAt(root, 'pools'))].map(([name, { value }]) => [name, poolSize(value)])),
    env: new Map(envOf(envNode)),
    envFindings,
    defaults: readPatience(valueAt(root, 'defaults'), undefined, report),
    tasksShape: tasksShape(root),
  };
  const tasks = readTasks(root, 'tasks', around);
  const finallyTasks = readTasks(root, 'finally', around);
  checkNames(tasks, finallyTasks, report);
  checkNeeds(tasks, finallyTasks, report);

  const name = textOf(valueAt(root, 'name')) ?? '';
  const description = textOf(valueAt(root, 'description'));
  return {
    file: sources.main.file,
    text: sources.main.text,
    includes: sources.included.map((included) => ({ file: included.file, text: included.text })),
    name,
    description,
    request: requestOf(root, { text, fallback: description ?? name, report }),
    type: TASK_TYPES.find((type) => type === textOf(valueAt(root, 'type'))) ?? 'general',
    agents: agentsOf(root, report),
    sync: textOf(valueAt(root, 'sync')) === 'eager' ? 'eager' : 'wave',
    backup: backupOf(root),
    params: params.values,
    secrets: [...secrets],
    limits: limitsOf(root, report),
    pools: poolsOf(root, report),
    failure: readFailure(root, report),
    tasks: definitionsOf(tasks),
    finally: definitionsOf(finallyTasks),
  };
}

function readTasks(root: SourceNode, list: 'tasks' | 'finally', around: TaskSurroundings): readonly TaskDraft[] {
  const inFinally = list === 'finally';
  return [...entriesOf(valueAt(root, list))].map(([id, entry]) => readTask(id, entry, { ...around, inFinally }));
}

function definitionsOf(drafts: readonly TaskDraft[]): readonly TaskDefinition[] {
  return drafts.flatMap(({ definition, needs }) => {
    if (definition === undefined) return [];
    const optional = needs.flatMap((need) => (need.optional ? [need.task] : []));
    return [{ ...definition, needs: needs.map((need) => need.task), ...(optional.length > 0 && { optionalNeeds: optional }) }];
  });
}

/** A plan that leaves its tasks to files that have none; one without an include is reported by the schema. */
function checkTasks(root: SourceNode, report: Report): void {
  const include = entryAt(root, 'include');
  if (include === undefined || valueAt(root, 'tasks') !== undefined) return;
  const message = "there are no 'tasks', neither here nor in what is included";
  report({ code: 'MISSING-KEY', message, span: include.key, hint: "add 'tasks:'" });
}

/** Checkpoints know tasks by name, so one name serves one task. */
function checkNames(tasks: readonly TaskDraft[], finallyTasks: readonly TaskDraft[], report: Report): void {
  const byName = new Map(tasks.map((task) => [task.id, task]));
  for (const task of finallyTasks) {
    const other = byName.get(task.id);
    if (other === undefined) continue;
    const related = [{ message: `'${task.id}' under 'tasks' is here`, span: other.key }];
    const message = `the name '${task.id}' is taken by a task under 'tasks'`;
    report({ code: 'NAME', message, span: task.key, hint: 'give one of the two another name', related });
  }
}

function requestOf(
  root: SourceNode,
  at: { readonly text: string; readonly fallback: string; readonly report: Report },
): PlanRequest {
  const automatic: PlanRequest = { mode: 'AUTOMATIC_SCALING', task: at.fallback };
  const node = valueAt(root, 'request');
  const written = textOf(node);
  if (node === undefined || written === undefined) return automatic;
  const request = parseRequest(written);
  if (request.ok) return request.value;
  at.report({ code: 'REQUEST', message: request.error.message, span: spanInText(at.text, node, request.error) });
  return automatic;
}

function agentsOf(root: SourceNode, report: Report): AgentsSetting {
  const auto: AgentsSetting = { kind: 'auto' };
  const node = valueAt(root, 'agents');
  const written = writtenText(node);
  // Other types, and numbers with a fraction, are reported by the schema.
  if (node?.kind !== 'scalar' || written === undefined || typeof node.json === 'boolean') return auto;
  if (typeof node.json === 'number' && !Number.isInteger(node.json)) return auto;
  const agents = parseAgents(typeof node.json === 'number' ? String(node.json) : written);
  if (agents.ok) return agents.value;
  report({ code: 'VALUE', message: agents.error, span: node });
  return auto;
}

function backupOf(root: SourceNode): ValidPlan['backup'] {
  const written = textOf(valueAt(root, 'backup'));
  return written === 'ref' || written === 'none' ? written : 'commit';
}

function limitsOf(root: SourceNode, report: Report): PlanLimits {
  const limits = valueAt(root, 'limits');
  const quantity = (key: string, parse: typeof parseRate): number | undefined => {
    const node = valueAt(limits, key);
    const written = textOf(node);
    if (node === undefined || written === undefined) return undefined;
    const parsed = parse(written);
    if (parsed.ok) return parsed.value;
    report({ code: 'VALUE', message: parsed.error, span: node });
    return undefined;
  };
  return {
    ratePerMinute: quantity('rate', parseRate),
    connections: numberOf(valueAt(limits, 'connections')),
    iops: numberOf(valueAt(limits, 'iops')),
    memoryPerAgentBytes: quantity('memoryPerAgent', parseSize),
  };
}

function poolsOf(root: SourceNode, report: Report): Readonly<Record<string, PoolLimits>> {
  const pools = [...entriesOf(valueAt(root, 'pools'))].map(([name, { value }]): [string, PoolLimits] => {
    const max = numberOf(poolSize(value));
    const written = valueAt(value, 'rate');
    const rate = parseRate(textOf(written) ?? '');
    if (written !== undefined && !rate.ok) report({ code: 'VALUE', message: rate.error, span: written });
    return [name, { ...(max !== undefined && { max }), ...(written !== undefined && rate.ok && { ratePerMinute: rate.value }) }];
  });
  return Object.fromEntries(pools);
}

/** The node with the size of a pool; undefined for a pool that only has a rate. */
function poolSize(pool: SourceNode): SourceNode | undefined {
  return pool.kind === 'map' ? valueAt(pool, 'max') : pool;
}
