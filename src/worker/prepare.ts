import { isAbsolute, join } from 'node:path';
import type { Action, SubtaskRequest } from '../actions/action.js';
import type { Failure } from '../model/failure.js';
import { subtaskId } from '../model/ids.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result, unreachable } from '../model/result.js';
import { type ExpressionScope, evaluate, renderTemplate } from '../plan/expressions.js';
import type { TaskDefinition } from '../plan/valid-plan.js';

/** What expressions and commands see of the run as a whole. */
export interface RunSurroundings {
  readonly params: JsonObject;
  /** The process environment, for `env` in expressions. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder that work is done in, absolute. */
  readonly folder: string;
}

/** What the expressions of a task's subtasks see beside their own item: the run, and results of earlier tasks. */
export interface TaskSurroundings extends RunSurroundings {
  /** `{results}` by task, of those that the task reads. */
  readonly tasks: JsonObject;
}

/** One subtask of a task, before its expressions are evaluated. */
export interface Subtask {
  readonly task: TaskDefinition;
  /** Undefined for a task without `foreach`. */
  readonly index: number | undefined;
  readonly item: JsonValue | undefined;
  /** The results of the paired subtask under `foreach: { each }`; undefined elsewhere. */
  readonly previous?: JsonValue | undefined;
}

/** A request that lacks only what its chunk adds. */
export type PreparedRequest = Omit<SubtaskRequest, 'id'>;

/** What preparing a subtask comes to: a request, or nothing to do because its `if` is false. */
export type Prepared = { readonly kind: 'request'; readonly request: PreparedRequest } | { readonly kind: 'left-out' };

/** The scope that the expressions of a subtask see. */
export function subtaskScope(subtask: Subtask, { params, env, tasks }: TaskSurroundings): ExpressionScope {
  return {
    params,
    env,
    tasks,
    ...(subtask.item === undefined ? {} : { item: subtask.item }),
    ...(subtask.index === undefined ? {} : { index: subtask.index }),
    ...(subtask.previous === undefined ? {} : { prev: subtask.previous }),
  };
}

/** Evaluates everything that a subtask's definition leaves open. The failure is of kind `expression`. */
export function prepareSubtask(subtask: Subtask, attempt: number, surroundings: TaskSurroundings): Result<Prepared, Failure> {
  const { task } = subtask;
  const scope = subtaskScope(subtask, surroundings);
  if (task.if !== undefined) {
    const wanted = evaluate(task.if, scope);
    if (!wanted.ok) return expressionFailure('if', wanted.error);
    if (typeof wanted.value !== 'boolean')
      return expressionFailure('if', `is ${JSON.stringify(wanted.value)}, neither true nor false`);
    if (!wanted.value) return ok({ kind: 'left-out' });
  }
  const action = prepareAction(task, scope);
  if (!action.ok) return action;
  const env = renderStrings(task.env, 'env', scope);
  if (!env.ok) return env;
  const cwd = task.cwd === undefined ? ok('.') : renderString(task.cwd, 'cwd', scope);
  if (!cwd.ok) return cwd;
  return ok({
    kind: 'request',
    request: {
      subtask: subtaskId(task.id, subtask.index),
      action: action.value,
      item: subtask.item,
      index: subtask.index,
      attempt,
      env: { ...commandVariables(subtask, surroundings), ...env.value, ATTEMPT: String(attempt) },
      cwd: isAbsolute(cwd.value) ? cwd.value : join(surroundings.folder, cwd.value),
      folder: surroundings.folder,
      timeoutMs: task.timeoutMs,
    },
  });
}

/** Checks the definition of done. The first expression that does not hold is the failure. */
export function checkSuccess(subtask: Subtask, outcome: JsonValue, surroundings: TaskSurroundings): Failure | undefined {
  if (subtask.task.success.length === 0) return undefined;
  const scope: ExpressionScope = { ...subtaskScope(subtask, surroundings), results: outcome };
  for (const expression of subtask.task.success) {
    const held = evaluate(expression, scope);
    if (!held.ok) return { kind: 'success', message: `success: ${expression}: ${held.error}` };
    if (held.value !== true) return { kind: 'success', message: `success: ${expression} is ${JSON.stringify(held.value)}` };
  }
  return undefined;
}

function prepareAction(task: TaskDefinition, scope: ExpressionScope): Result<Action, Failure> {
  const { work } = task;
  switch (work.kind) {
    case 'shell':
      return ok({ kind: 'command', argv: ['sh', '-c', work.command], output: task.output });
    case 'argv': {
      const argv: string[] = [];
      for (const argument of work.argv) {
        const rendered = renderString(argument, 'run', scope);
        if (!rendered.ok) return rendered;
        argv.push(rendered.value);
      }
      return ok({ kind: 'command', argv, output: task.output });
    }
    case 'module': {
      const input = task.with === undefined ? ok(null) : renderTemplate(task.with, scope);
      if (!input.ok) return expressionFailure('with', input.error);
      return ok({ kind: 'module', file: work.file, exportName: work.exportName, input: input.value });
    }
    default:
      return unreachable(work);
  }
}

/** How a command learns of its item: by variables, never by text put into the command. */
function commandVariables(subtask: Subtask, surroundings: RunSurroundings): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(surroundings.params)) {
    if (VARIABLE_NAME.test(name)) variables[`PARAM_${name}`] = asText(value);
  }
  const { item, index } = subtask;
  if (index !== undefined) variables['INDEX'] = String(index);
  if (item === undefined) return variables;
  variables['ITEM'] = asText(item);
  if (isJsonObject(item)) {
    for (const [name, value] of Object.entries(item)) {
      if (VARIABLE_NAME.test(name) && (typeof value !== 'object' || value === null)) variables[`ITEM_${name}`] = asText(value);
    }
  }
  return variables;
}

const VARIABLE_NAME = /^[A-Za-z0-9_]+$/;

/** A scalar as it is, null as nothing, anything else as JSON. */
function asText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}

function renderStrings(
  texts: Readonly<Record<string, string>>,
  where: string,
  scope: ExpressionScope,
): Result<Record<string, string>, Failure> {
  const rendered: Record<string, string> = {};
  for (const [name, text] of Object.entries(texts)) {
    const value = renderString(text, where, scope);
    if (!value.ok) return value;
    rendered[name] = value.value;
  }
  return ok(rendered);
}

function renderString(text: string, where: string, scope: ExpressionScope): Result<string, Failure> {
  const value = renderTemplate(text, scope);
  return value.ok ? ok(asText(value.value)) : expressionFailure(where, value.error);
}

function expressionFailure(where: string, message: string): Result<never, Failure> {
  return err({ kind: 'expression', message: `${where}: ${message}` });
}
