import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { toCel, toJson } from './cel-values.js';
import { compileTemplate, type Rendering } from './compile-template.js';
import type { ExpressionScope } from './expression-scope.js';
import { type NameUse, usesOf, type VariableUses } from './expression-uses.js';
import { ANY_ITEM, type ItemType } from './item-type.js';
import { type PlainPath, plainPathOf, valueAtPath } from './plain-path.js';
import type { TextProblem } from './template.js';

export type { ExpressionScope } from './expression-scope.js';
export { type TemplateExpression, type TextProblem, templateExpressions, wholeExpression } from './template.js';

/*
 * CEL expressions (https://cel.dev) over the names below. JSON numbers are CEL doubles and literals such as `1` are
 * CEL ints; the operators that mix the two are registered here, so that `item.size + 1` means what it says.
 */

/** Every name that some expression of a plan may use. */
export type ExpressionVariable = 'params' | 'env' | 'item' | 'index' | 'tasks' | 'results' | 'prev';

export const EXPRESSION_VARIABLES: readonly ExpressionVariable[] = ['params', 'env', 'item', 'index', 'tasks', 'results', 'prev'];

/** An expression in which nothing is left to check but the names of tasks and params. */
export interface CheckedExpression {
  /** Ids of the tasks whose results it reads, each once. */
  readonly reads: readonly string[];
  /** Every place at which it names a task, with offsets into the source. */
  readonly taskUses: readonly NameUse[];
  /** Every place at which it names a param. */
  readonly paramUses: readonly NameUse[];
  /** Every place at which it names a variable of the environment. */
  readonly envUses: readonly NameUse[];
  /** It looks at `params` as a whole, or by a computed name. */
  readonly readsAllParams: boolean;
  /** The CEL type of its value, `dyn` where that depends on data. */
  readonly type: string;
}

/** An expression longer than this is a program, and the parser recurses. */
const MAX_EXPRESSION_LENGTH = 10_000;

/** Made with the first expression: many plans have none. */
let environment: Environment | undefined;

function createEnvironment(itemType: ItemType['type']): Environment {
  const created = new Environment({ homogeneousAggregateLiterals: false, limits: { maxAstNodes: 5_000, maxDepth: 200 } });
  for (const name of EXPRESSION_VARIABLES) created.registerVariable(name, name === 'item' ? itemType : 'dyn');
  // As in CEL's own extension of lists: one level is taken away, and what is no list stays as it is.
  created.registerFunction('list.flatten(): list', (list: Iterable<unknown>) => [...list].flat());
  const operators: readonly (readonly [string, (a: number, b: number) => number])[] = [
    ['+', (a, b) => a + b],
    ['-', (a, b) => a - b],
    ['*', (a, b) => a * b],
    ['/', (a, b) => a / b],
    ['%', (a, b) => a % b],
  ];
  for (const [operator, apply] of operators) {
    const mixed = (a: number | bigint, b: number | bigint): number => apply(Number(a), Number(b));
    created.registerOperator(`int ${operator} double: double`, mixed);
    created.registerOperator(`double ${operator} int: double`, mixed);
  }
  created.registerOperator('double % double: double', (a: number, b: number) => a % b);
  return created;
}

interface Compiled {
  readonly run: ParseResult;
  readonly uses: VariableUses;
  /** Ids of the tasks in `uses`, each once. */
  readonly reads: readonly string[];
  /** Names of the variables in `uses`. */
  readonly variables: ReadonlySet<string>;
  /** The expression is this and nothing else. */
  readonly path: PlainPath | undefined;
}

/** A bound for the cache by text; a plan has few texts, a long-lived process sees many plans. */
const MAX_CACHED = 5_000;

const compiled = new Map<string, Result<Compiled, TextProblem>>();

function compile(source: string): Result<Compiled, TextProblem> {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  if (compiled.size >= MAX_CACHED) compiled.clear();
  const made = compileUncached(source);
  compiled.set(source, made);
  return made;
}

function compileUncached(source: string): Result<Compiled, TextProblem> {
  if (source.trim() === '') return err({ message: 'the expression is empty', start: 0, end: source.length });
  if (source.length > MAX_EXPRESSION_LENGTH) {
    const message = `the expression is longer than ${MAX_EXPRESSION_LENGTH} characters`;
    return err({ message, start: 0, end: source.length });
  }
  try {
    environment ??= createEnvironment('dyn');
    const run = environment.parse(source);
    const uses = usesOf(run.ast);
    const reads = [...new Set(uses.tasks.map((use) => use.name))];
    return ok({ run, uses, reads, variables: new Set(uses.variables.map((use) => use.name)), path: plainPathOf(source) });
  } catch (error) {
    return err(problemOf(error, source));
  }
}

/** Environments in which `item` has a type, for checks alone: by the type's name. */
const typedEnvironments = new Map<ItemType['type'], Environment>();

/** The evaluator's check of types, with what is known of `item`. */
function checkTypes(source: string, run: ParseResult, item: ItemType): ReturnType<ParseResult['check']> {
  if (item.type === 'dyn') return run.check();
  let typed = typedEnvironments.get(item.type);
  if (typed === undefined) {
    typed = createEnvironment(item.type);
    typedEnvironments.set(item.type, typed);
  }
  return typed.parse(source).check();
}

/**
 * Whether an expression parses, fits its types, and uses only the given names; offsets of the problem are into `source`.
 * Whether the tasks and params that it names exist is for the caller to say.
 */
export function checkExpression(
  source: string,
  allowed: readonly ExpressionVariable[],
  item: ItemType = ANY_ITEM,
): Result<CheckedExpression, TextProblem> {
  const expression = compile(source);
  if (!expression.ok) return expression;
  const { run, uses, reads } = expression.value;
  for (const use of uses.variables) {
    const variable = EXPRESSION_VARIABLES.find((name) => name === use.name);
    if (variable !== undefined && !allowed.includes(variable)) {
      return err({ message: `'${use.name}' is not available here`, start: use.start, end: use.end });
    }
  }
  const computed = uses.computedTasks[0];
  if (computed !== undefined) {
    const message = "name the task that is read, as in tasks.scan or tasks['scan']: its results must be there before";
    return err({ message, start: computed.start, end: computed.end });
  }
  const field = uses.taskFields.find((use) => use.name !== 'results');
  if (field !== undefined) {
    const message = `a task has 'results', not '${field.name}'`;
    return err({ message, start: field.end - field.name.length, end: field.end });
  }
  const unknown = uses.itemFields.find((use) => item.fields !== undefined && !item.fields.has(use.name));
  if (unknown !== undefined) {
    return err({ message: `an item has no '${unknown.name}'`, start: unknown.start, end: unknown.end });
  }
  const checked = checkTypes(source, run, item);
  if (!checked.valid) return err(problemOf(checked.error, source));
  return ok({
    reads,
    taskUses: uses.tasks,
    paramUses: uses.params,
    envUses: uses.envFields,
    readsAllParams: uses.allParams,
    type: checked.type ?? 'dyn',
  });
}

/** Whether an expression has a value of its own for each item of a fan-out. */
export function isPerItem(source: string): boolean {
  const expression = compile(source);
  return expression.ok && PER_ITEM.some((name) => expression.value.variables.has(name));
}

const PER_ITEM: readonly ExpressionVariable[] = ['item', 'index', 'prev'];

/** Ids of the tasks whose results an expression reads, each once. */
export function tasksReadBy(source: string): readonly string[] {
  const expression = compile(source);
  return expression.ok ? expression.value.reads : [];
}

/** The syntax tree of an expression that parses. */
export function syntaxOf(source: string): ASTNode | undefined {
  const expression = compile(source);
  return expression.ok ? expression.value.run.ast : undefined;
}

/** The value of an expression as JSON; the error is a message for the user that names the expression. Never throws. */
export function evaluate(source: string, scope: ExpressionScope): Result<JsonValue, string> {
  const expression = compile(source);
  if (!expression.ok) return err(`cannot evaluate '${source}': ${expression.error.message}`);
  const { run, path } = expression.value;
  if (path !== undefined) {
    const found = valueAtPath(path, scope);
    return found.ok ? found : err(`cannot evaluate '${source}': ${found.error}`);
  }
  try {
    return ok(toJson(run(contextOf(scope, expression.value))));
  } catch (error) {
    return err(`cannot evaluate '${source}': ${problemOf(error, source).message}`);
  }
}

/** Of the scope, what the expression uses, as the evaluator takes it; of `tasks`, only those it reads, since there may be very many. */
function contextOf(scope: ExpressionScope, { variables, reads }: Compiled): Map<string, unknown> {
  const context = new Map<string, unknown>();
  for (const name of EXPRESSION_VARIABLES) {
    const value = scope[name];
    if (value !== undefined && name !== 'tasks' && variables.has(name)) context.set(name, toCel(value));
  }
  const { tasks } = scope;
  if (tasks !== undefined && variables.has('tasks')) context.set('tasks', new Map(reads.flatMap((id) => taskEntry(tasks, id))));
  return context;
}

function taskEntry(tasks: JsonObject, id: string): readonly (readonly [string, unknown])[] {
  const entry = Object.hasOwn(tasks, id) ? tasks[id] : undefined;
  if (!isJsonObject(entry)) return [];
  // The entry itself may be made afresh for each evaluation; the results in it are not, and are converted once.
  return [[id, new Map(Object.entries(entry).map(([key, value]) => [key, toCel(value)]))]];
}

/** What a value with `${{ … }}` in its texts comes to: see `compileTemplate`. */
export function templateOf(value: JsonValue): Rendering {
  return compileTemplate(value, (source) => (scope) => evaluate(source, scope));
}

/** The same, once. */
export function renderTemplate(value: JsonValue, scope: ExpressionScope): Result<JsonValue, string> {
  return templateOf(value)(scope);
}

/** What an error of the evaluator says, without its picture of the source. */
function problemOf(error: unknown, source: string): TextProblem {
  const whole = { start: 0, end: source.length };
  if (error instanceof RangeError) return { message: 'the expression or its data is nested too deeply', ...whole };
  if (!(error instanceof Error)) return { message: String(error), ...whole };
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  return { message: inPlainWords(summary), ...(rangeOf(error, source) ?? whole) };
}

function inPlainWords(summary: string): string {
  if (summary === 'Unexpected token: EOF') return 'the expression is not complete';
  return summary
    .replace(/, got EOF$/, ', but the expression ends')
    .replace(/^([A-Z])(?=[a-z ])/, (letter) => letter.toLowerCase());
}

function rangeOf(error: Error, source: string): { readonly start: number; readonly end: number } | undefined {
  if (!('range' in error) || typeof error.range !== 'object' || error.range === null) return undefined;
  const { range } = error;
  if (!('start' in range) || !('end' in range)) return undefined;
  if (typeof range.start !== 'number' || typeof range.end !== 'number') return undefined;
  const start = Math.min(range.start, source.length);
  return { start, end: Math.min(Math.max(range.end, start), source.length) };
}
