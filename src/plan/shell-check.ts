import { closest } from './closest.js';
import { isVariableSuffix, unavailableFields, unavailableFieldsText } from './command-variables.js';
import type { ItemType } from './item-type.js';
import type { Params } from './params.js';
import type { Report } from './problems.js';
import type { Shape } from './result-shapes.js';
import { shellVariables, type VariableUse } from './shell-text.js';
import { entryAt, itemsOf, type SourceNode, spanInText, valueAt } from './source-node.js';
import type { SourceTexts } from './source-texts.js';
import type { TaskDefinition } from './valid-plan.js';

/** What a command's variables are known to be. */
interface CommandScope {
  readonly paramNames: ReadonlySet<string>;
  /** Names that `env` sets. */
  readonly env: ReadonlySet<string>;
  readonly item: CommandItem | 'none';
}

/** What is known of the items of a fan-out. */
interface CommandItem {
  /** Fields that are variables; undefined where that depends on data. */
  readonly variables: ReadonlySet<string> | undefined;
  /** All fields, as far as they are known. */
  readonly fields: ReadonlySet<string> | undefined;
  readonly isBatch: boolean;
}

/**
 * Reports the variables that a task's text for a shell reads and cannot have, because they would be taken for empty; warns of fields
 * that no variable can have.
 */
export function checkCommand(
  node: SourceNode,
  { id, work, env, batch }: TaskDefinition,
  items: { readonly item: ItemType | undefined; readonly shape: Shape },
  { params, sources, report }: { readonly params: Params; readonly sources: SourceTexts; readonly report: Report },
): void {
  const run = valueAt(node, 'run');
  if (run === undefined || (work.kind !== 'shell' && work.kind !== 'argv')) return;
  const argument = work.kind === 'argv' ? shellArgument(work.argv) : undefined;
  const text = work.kind === 'shell' ? work.command : work.argv[argument ?? work.argv.length];
  const place = argument === undefined ? run : itemsOf(run)[argument];
  if (text === undefined || place === undefined) return;
  const foreach = valueAt(node, 'foreach');
  const { fields, variables = variablesOf(items.shape) } = items.item ?? {};
  const isBatch = batch !== undefined;
  const item = foreach === undefined ? 'none' : { fields, variables, isBatch };
  const scope = { paramNames: params.names, env: new Set(Object.keys(env)), item } as const;
  checkShellText(place, text, scope, { text: sources.text, report });
  if (isBatch) return;
  for (const stated of [foreach, valueAt(valueAt(foreach, 'matrix'), 'include')]) warnOfFields(id, itemsOf(stated), report);
}

/** What items that look like this have for variables; undefined where that depends on data. */
function variablesOf(shape: Shape): ReadonlySet<string> | undefined {
  if (shape?.type === 'string') return new Set();
  if (shape?.properties === undefined || shape.additionalProperties !== false) return undefined;
  return new Set(Object.keys(shape.properties).filter(isVariableSuffix));
}

/** Of items that the plan states, the fields that no command can have as variables. */
function warnOfFields(task: string, items: readonly SourceNode[], report: Report): void {
  const fields = new Map(items.flatMap((item) => unavailableFields(item.json).map((name) => [name, entryAt(item, name)?.key])));
  const [first] = fields.values();
  if (first === undefined) return;
  report({ code: 'VARIABLE', ...unavailableFieldsText(task, [...fields.keys()]), span: first, severity: 'warning' });
}

function checkShellText(
  node: SourceNode,
  command: string,
  scope: CommandScope,
  { text, report }: { readonly text: string; readonly report: Report },
): void {
  if (!OURS.test(command)) return;
  const { uses, sets, setsOthers } = shellVariables(command);
  if (setsOthers) return;
  const seen = new Set<string>();
  for (const use of uses) {
    if (sets.has(use.name) || scope.env.has(use.name) || seen.has(use.name)) continue;
    seen.add(use.name);
    const problem = problemOf(use, scope);
    if (problem !== undefined) report({ code: 'VARIABLE', ...problem, span: spanInText(text, node, use) });
  }
}

/** What no text is without that reads one of our variables. */
const OURS = /ITEM|INDEX|PARAM_/;

function problemOf(
  { name }: VariableUse,
  { paramNames, item }: CommandScope,
): { readonly message: string; readonly hint: string | undefined } | undefined {
  const param = behind('PARAM_', name);
  if (param !== undefined) {
    if (paramNames.has(param)) return undefined;
    const known = [...paramNames].filter(isVariableSuffix);
    const hint = didYouMeanBehind('PARAM_', param, known) ?? "declare it under 'params'";
    return { message: `there is no param '${param}': $${name} would be empty`, hint };
  }
  const field = behind('ITEM_', name);
  const isOfItem = name === 'ITEM' || name === 'INDEX' || field !== undefined;
  if (!isOfItem) return undefined;
  if (item === 'none') {
    const hint = `add foreach; or write \${${name}:-} for a variable of the environment`;
    return { message: `$${name} would be empty: the task has no 'foreach'`, hint };
  }
  if (field === undefined) return undefined;
  if (item.isBatch) {
    const message = `$${name} would be empty: under 'batch', $ITEM is a list of items, as JSON`;
    return { message, hint: 'remove batch, or read the fields from $ITEM' };
  }
  const { variables, fields } = item;
  if (variables === undefined || variables.has(field)) return undefined;
  if (fields?.has(field) === true) {
    const message = `$${name} would be empty: '${field}' of the items is an object or a list`;
    return { message, hint: 'read it from $ITEM, which is the item as JSON' };
  }
  const shown = `there are ${[...variables]
    .slice(0, 20)
    .map((one) => `$ITEM_${one}`)
    .join(', ')}`;
  const hint = didYouMeanBehind('ITEM_', field, variables) ?? (variables.size === 0 ? 'read the item as $ITEM' : shown);
  return { message: `an item has no '${field}': $${name} would be empty`, hint };
}

function didYouMeanBehind(prefix: string, name: string, known: Iterable<string>): string | undefined {
  const near = closest(name, known);
  return near === undefined ? undefined : `did you mean '$${prefix}${near}'?`;
}

function behind(prefix: string, name: string): string | undefined {
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined;
}

/** Of the arguments of a command, the one that a shell takes as its text: that of `sh -c …`; undefined where there is none. */
export function shellArgument(argv: readonly string[]): number | undefined {
  const [program = ''] = argv;
  if (!/^(?:.*\/)?(?:sh|bash|dash|ash|ksh|zsh)$/.test(program)) return undefined;
  let takesText = false;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (!/^[-+]./.test(argument)) return takesText ? i : undefined;
    if (/^-[A-Za-z]*c/.test(argument)) takesText = true;
    // The next one is the name of an option, as in `-euo pipefail`.
    if (/^[-+][A-Za-z]*o$/.test(argument)) i += 1;
  }
  return undefined;
}
