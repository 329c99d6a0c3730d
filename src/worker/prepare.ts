import { isAbsolute, join } from 'node:path';
import type { Action, SubtaskRequest } from '../actions/action.js';
import { RUN_VARIABLE } from '../actions/leftovers.js';
import type { Failure } from '../model/failure.js';
import { contentHash, subtaskId } from '../model/ids.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js';
import type { LazyJson } from '../model/lazy-json.js';
import type { Mask } from '../model/mask.js';
import { err, ok, type Result, unreachable } from '../model/result.js';
import { asText, itemVariables, paramVariables } from '../plan/command-variables.js';
import type { Rendering } from '../plan/compile-template.js';
import type { ExpressionScope } from '../plan/expression-scope.js';
import { isPlainTemplate, plainTemplateOf } from '../plan/plain-evaluator.js';
import { TEMPLATE_START } from '../plan/template.js';
import type { TaskDefinition } from '../plan/valid-plan.js';
import { maskFor } from './outcome-mask.js';

/** What expressions and commands see of the run as a whole. */
export interface RunSurroundings {
  readonly params: JsonObject;
  /** The process environment, for `env` in expressions. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder that work is done in, absolute. */
  readonly folder: string;
  /** Environment variables whose values are taken out of outcomes; absent: none. */
  readonly secrets?: readonly string[];
  /** The run's id: a resumed run has the same. */
  readonly run: string;
}

/** What the expressions of a task's subtasks see beside their own item: the run, and results of earlier tasks. */
export interface TaskSurroundings extends RunSurroundings {
  /** `{results}` by task, of those that the task reads. */
  readonly tasks: JsonObject;
}

/** One subtask of a task, before the task's expressions are evaluated for it. */
export interface Subtask {
  /** Undefined for a task without `foreach`. */
  readonly index: number | undefined;
  readonly item: JsonValue | undefined;
  /** The results of the paired subtask under `foreach: { each }`; undefined elsewhere. */
  readonly previous?: JsonValue | undefined;
}

/** What preparing a subtask comes to: a request, or nothing to do because its `if` is false. */
export type Prepared = { readonly kind: 'request'; readonly request: SubtaskRequest } | { readonly kind: 'left-out' };

/** What evaluates expressions. It is large: threads load it when the first task comes that has any. */
export interface Evaluator {
  /** Of a value with expressions in its texts. */
  templateOf(value: JsonValue): Rendering;
  evaluate(source: string, scope: ExpressionScope): Result<JsonValue, string>;
  /** An expression with every value in place that the scope has. */
  inlineValues(source: string, scope: ExpressionScope): string;
}

/** Loads what evaluates expressions, once for each thread. */
export function loadEvaluator(): Promise<Evaluator> {
  return import('../plan/evaluator.js');
}

/** Whether anything in a task is to be evaluated for each subtask. */
function hasExpressions({ if: condition, success, work, with: input, env, cwd }: TaskDefinition): boolean {
  if (condition !== undefined || success.length > 0) return true;
  const argv = work.kind === 'argv' ? work.argv : undefined;
  return JSON.stringify([argv, input, env, cwd]).includes(TEMPLATE_START);
}

/** Whether all that is to be evaluated, if anything is, are plain paths such as `item.file` in texts. */
function needsNoEvaluator({ if: condition, success, work, with: input = null, env, cwd = '' }: TaskDefinition): boolean {
  if (condition !== undefined || success.length > 0) return false;
  return isPlainTemplate([work.kind === 'argv' ? work.argv : [], input, env, cwd]);
}

/** Makes what prepares a task's subtasks; at once where the evaluator need not be loaded for them. */
export function preparerOf(task: TaskDefinition, surroundings: TaskSurroundings): Preparer | Promise<Preparer> {
  return needsNoEvaluator(task)
    ? new Preparer(task, surroundings, undefined)
    : loadEvaluator().then((evaluator) => new Preparer(task, surroundings, evaluator));
}

/** What of a task is the same for all its subtasks. */
interface Constants {
  readonly action: Action;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** What of a task is to be rendered for each subtask. */
interface Templates {
  readonly argv: readonly { readonly text: string; readonly render: Rendering }[];
  /** Undefined where nothing is given. */
  readonly input: Rendering | undefined;
  /** Undefined where they are the same for all subtasks. */
  readonly env: readonly (readonly [name: string, render: Rendering])[] | undefined;
  readonly cwd: Rendering;
}

/** Makes requests of a task's subtasks: evaluates everything that its definition leaves open. */
export class Preparer {
  readonly #task: TaskDefinition;
  readonly #surroundings: TaskSurroundings;
  readonly #evaluator: Evaluator | undefined;
  /** Where nothing is open. */
  readonly #constants: Constants | undefined;
  readonly #templates: Templates;
  /** Absolute, where it does not depend on the subtask. */
  readonly #cwd: string | undefined;
  readonly #paramVariables: Readonly<Record<string, string>>;
  /** For the run's secrets. */
  readonly mask: Mask;

  /** @param evaluator must be there where the task has other expressions than plain paths in texts. */
  constructor(task: TaskDefinition, surroundings: TaskSurroundings, evaluator: Evaluator | undefined) {
    this.#task = task;
    this.#surroundings = surroundings;
    this.#evaluator = evaluator;
    this.#paramVariables = paramVariables(surroundings.params);
    this.mask = maskFor(surroundings.secrets ?? [], surroundings.env);
    const { cwd = '.' } = task;
    this.#templates = templatesOf(task, evaluator?.templateOf ?? plainTemplateOf);
    if (!cwd.includes(TEMPLATE_START)) this.#cwd = absolute(surroundings.folder, cwd);
    if (!hasExpressions(task))
      this.#constants = { action: constantAction(task), env: task.env, cwd: absolute(surroundings.folder, cwd) };
  }

  /** The failure is of kind `expression`. */
  prepare(subtask: Subtask, id: number, attempt: number): Result<Prepared, Failure> {
    const constants = this.#constants;
    if (constants !== undefined) return ok({ kind: 'request', request: this.#request(subtask, id, attempt, constants) });
    const task = this.#task;
    const scope = this.#scope(subtask);
    if (task.if !== undefined) {
      const wanted = checkedCondition(this.#expressions.evaluate(task.if, scope));
      if (!wanted.ok) return wanted;
      if (!wanted.value) return ok({ kind: 'left-out' });
    }
    const action = this.#action(scope);
    if (!action.ok) return action;
    const { env: variables } = this.#templates;
    const env = variables === undefined ? ok(task.env) : renderStrings(variables, 'env', scope);
    if (!env.ok) return env;
    const cwd = this.#cwd === undefined ? this.#renderCwd(scope) : ok(this.#cwd);
    if (!cwd.ok) return cwd;
    const parts = { action: action.value, env: env.value, cwd: cwd.value };
    return ok({ kind: 'request', request: this.#request(subtask, id, attempt, parts) });
  }

  #renderCwd(scope: ExpressionScope): Result<string, Failure> {
    const cwd = renderString(this.#templates.cwd, 'cwd', scope);
    return cwd.ok ? ok(absolute(this.#surroundings.folder, cwd.value)) : cwd;
  }

  /** Checks the definition of done. The first expression that does not hold is the failure. */
  checkSuccess(subtask: Subtask, results: LazyJson): Failure | undefined {
    if (this.#task.success.length === 0) return undefined;
    const scope: ExpressionScope = { ...this.#scope(subtask), results: results.value };
    for (const expression of this.#task.success) {
      const held = this.#expressions.evaluate(expression, scope);
      if (!held.ok) return { kind: 'success', message: `success: ${expression}: ${held.error}` };
      if (held.value !== true) return { kind: 'success', message: `success: ${expression} is ${JSON.stringify(held.value)}` };
    }
    return undefined;
  }

  /** The definition of done with every value in place that is known before the subtask is done. */
  criteria(subtask: Subtask): readonly string[] {
    return this.#task.success.length === 0 ? [] : this.#criteria(this.#scope(subtask));
  }

  #criteria(scope: ExpressionScope): readonly string[] {
    return this.#task.success.map((expression) => this.#expressions.inlineValues(expression, scope));
  }

  get #expressions(): Evaluator {
    if (this.#evaluator === undefined) throw new Error('Internal error: nothing was loaded that evaluates expressions');
    return this.#evaluator;
  }

  #scope({ item, index, previous }: Subtask): ExpressionScope {
    const { params, env, tasks } = this.#surroundings;
    return {
      params,
      env,
      tasks,
      ...(item === undefined ? {} : { item }),
      ...(index === undefined ? {} : { index }),
      ...(previous === undefined ? {} : { prev: previous }),
    };
  }

  #request({ item, index }: Subtask, id: number, attempt: number, { action, env, cwd }: Constants): SubtaskRequest {
    const subtask = subtaskId(this.#task.id, index);
    const variables = this.#paramVariables;
    const { folder, run } = this.#surroundings;
    return {
      id,
      subtask,
      action: action.kind === 'builtin' ? { ...action, key: contentHash(`${run} ${subtask}`) } : action,
      item,
      index,
      attempt,
      // Few modules ask for it, and it would be made a million times.
      env: () => ({ ...variables, ...itemVariables(item, index), ...env, ATTEMPT: String(attempt), [RUN_VARIABLE]: run }),
      cwd,
      folder,
      timeoutMs: this.#task.timeoutMs,
    };
  }

  #action(scope: ExpressionScope): Result<Action, Failure> {
    const { work, output } = this.#task;
    const { argv: templates, input } = this.#templates;
    switch (work.kind) {
      case 'shell':
        return ok(constantAction(this.#task));
      case 'argv': {
        const argv: string[] = [];
        for (const { text, render } of templates) {
          const rendered = renderString(render, 'run', scope);
          if (!rendered.ok) return rendered;
          if (this.mask.finds(rendered.value)) return expressionFailure('run', `${text} ${HOLDS_SECRET}`);
          argv.push(rendered.value);
        }
        return ok({ kind: 'command', argv, output });
      }
      case 'module': {
        const rendered = input === undefined ? ok(null) : input(scope);
        if (!rendered.ok) return expressionFailure('with', rendered.error);
        return ok({ kind: 'module', file: work.file, exportName: work.exportName, input: rendered.value });
      }
      case 'builtin': {
        const rendered = input === undefined ? ok({}) : input(scope);
        if (!rendered.ok) return expressionFailure('with', rendered.error);
        if (work.action !== 'agent/prompt')
          return ok({ kind: 'builtin', name: work.action, input: rendered.value, key: '', success: [] });
        const command = isJsonObject(rendered.value) ? rendered.value['command'] : undefined;
        if (this.mask.finds(JSON.stringify(command ?? null))) return expressionFailure('with', `command ${HOLDS_SECRET}`);
        // Values in place: an agent that is asked to bring it about sees nothing else of the plan.
        return ok({ kind: 'builtin', name: work.action, input: rendered.value, key: '', success: this.#criteria(scope) });
      }
      default:
        return unreachable(work);
    }
  }
}

/** The value of an `if`, which must be true or false. */
export function checkedCondition(value: Result<JsonValue, string>): Result<boolean, Failure> {
  if (!value.ok) return expressionFailure('if', value.error);
  if (typeof value.value === 'boolean') return ok(value.value);
  return expressionFailure('if', `is ${JSON.stringify(value.value)}, neither true nor false`);
}

/** The list of processes shows the arguments of each to every user of the machine. */
const HOLDS_SECRET = 'has a secret in it, which the list of processes would show to everybody: read it from the environment';

/** The action of a task whose definition leaves nothing open, or of a shell's text, which never does. */
function constantAction({ work, output, with: input = null }: TaskDefinition): Action {
  switch (work.kind) {
    case 'shell':
      return { kind: 'command', argv: ['sh', '-e', '-c', work.command], output };
    case 'argv':
      return { kind: 'command', argv: work.argv, output };
    case 'module':
      return { kind: 'module', file: work.file, exportName: work.exportName, input };
    case 'builtin':
      return { kind: 'builtin', name: work.action, input: input ?? {}, key: '', success: [] };
    default:
      return unreachable(work);
  }
}

function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function templatesOf({ work, with: input, env, cwd = '.' }: TaskDefinition, templateOf: Evaluator['templateOf']): Templates {
  return {
    argv: work.kind === 'argv' ? work.argv.map((text) => ({ text, render: templateOf(text) })) : [],
    input: input === undefined ? undefined : templateOf(input),
    env: Object.values(env).some((text) => text.includes(TEMPLATE_START))
      ? Object.entries(env).map(([name, text]) => [name, templateOf(text)])
      : undefined,
    cwd: templateOf(cwd),
  };
}

function renderStrings(
  templates: NonNullable<Templates['env']>,
  where: string,
  scope: ExpressionScope,
): Result<Record<string, string>, Failure> {
  const rendered: Record<string, string> = {};
  for (const [name, render] of templates) {
    const value = renderString(render, where, scope);
    if (!value.ok) return value;
    rendered[name] = value.value;
  }
  return ok(rendered);
}

function renderString(render: Rendering, where: string, scope: ExpressionScope): Result<string, Failure> {
  const value = render(scope);
  return value.ok ? ok(asText(value.value)) : expressionFailure(where, value.error);
}

function expressionFailure(where: string, message: string): Result<never, Failure> {
  return err({ kind: 'expression', message: `${where}: ${message}` });
}
