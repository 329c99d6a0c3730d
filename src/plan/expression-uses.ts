import type { ASTNode } from '@marcbachmann/cel-js';

/** A name in an expression, with offsets into its source; `end` is exclusive. */
export interface NameUse {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Which names an expression uses. */
export interface VariableUses {
  /** Free identifiers: those that no macro such as `list.map(x, …)` binds. */
  readonly variables: readonly NameUse[];
  /** `tasks.X` and `tasks["X"]`. */
  readonly tasks: readonly NameUse[];
  /** `tasks` in any other position: which task is meant shows only when it runs. */
  readonly computedTasks: readonly NameUse[];
  /** The `F` of `tasks.X.F` and `tasks.X["F"]`. */
  readonly taskFields: readonly NameUse[];
  /** The `F` of `item.F` and `item["F"]`, but for those that only ask whether it is there: `has(item.F)`. */
  readonly itemFields: readonly NameUse[];
  /** `env.X` and `env["X"]`. */
  readonly envFields: readonly NameUse[];
  /** `params.X` and `params["X"]`. */
  readonly params: readonly NameUse[];
  /** `params` in any other position. */
  readonly allParams: boolean;
}

/** Macros whose first argument is a name that the later arguments may use. */
export const BINDING_MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);

/** The names that an expression uses. The parser bounds the depth of `ast`, and with it the recursion. */
export function usesOf(ast: ASTNode): VariableUses {
  const variables: NameUse[] = [];
  const tasks: NameUse[] = [];
  const computedTasks: NameUse[] = [];
  const taskFields: NameUse[] = [];
  const params: NameUse[] = [];
  const itemFields: NameUse[] = [];
  const envFields: NameUse[] = [];
  let allParams = false;

  const visit = (node: ASTNode, bound: ReadonlySet<string>): void => {
    const member = memberOf(node);
    if (member !== undefined && !bound.has(member.variable)) {
      const use = { name: member.name, start: node.start, end: node.end };
      if (member.variable === 'tasks') tasks.push(use);
      else params.push(use);
      variables.push({ name: member.variable, start: node.start, end: node.start + member.variable.length });
      return;
    }
    if (node.op === 'id' && !bound.has(node.args)) {
      const use = { name: node.args, start: node.start, end: node.end };
      variables.push(use);
      if (node.args === 'tasks') computedTasks.push(use);
      if (node.args === 'params') allParams = true;
      return;
    }
    const field = taskFieldOf(node);
    if (field !== undefined && !bound.has('tasks')) taskFields.push({ name: field, start: node.start, end: node.end });
    const itemField = bound.has('item') ? undefined : fieldOf('item', node);
    if (itemField !== undefined) {
      const start = node.op === '.' ? itemField.end - itemField.name.length : itemField.start;
      itemFields.push({ ...itemField, start });
    }
    const envField = bound.has('env') ? undefined : fieldOf('env', node);
    if (envField !== undefined) envFields.push(envField);
    const asked = askedByHas(node);
    if (asked !== undefined) {
      visit(asked, bound);
      return;
    }
    const inner = boundByMacro(node);
    if (inner !== undefined) {
      visit(inner.receiver, bound);
      const names = new Set([...bound, inner.name]);
      for (const argument of inner.rest) visit(argument, names);
      return;
    }
    for (const child of childrenOf(node)) visit(child, bound);
  };
  visit(ast, new Set());
  return { variables, tasks, computedTasks, taskFields, itemFields, envFields, params, allParams };
}

/** `tasks.X`, `tasks["X"]`, `params.X`, `params["X"]`. */
function memberOf(node: ASTNode): { readonly variable: 'tasks' | 'params'; readonly name: string } | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [object, key] = node.args;
  if (object.op !== 'id' || (object.args !== 'tasks' && object.args !== 'params')) return undefined;
  const name = literalKey(key);
  return name === undefined ? undefined : { variable: object.args, name };
}

function taskFieldOf(node: ASTNode): string | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [object, key] = node.args;
  return memberOf(object)?.variable === 'tasks' ? literalKey(key) : undefined;
}

function fieldOf(variable: 'item' | 'env', node: ASTNode): NameUse | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [object, key] = node.args;
  if (object.op !== 'id' || object.args !== variable) return undefined;
  const name = literalKey(key);
  return name === undefined ? undefined : { name, start: node.start, end: node.end };
}

/** What is asked for a field in `has(….F)`, which may well not have it. */
function askedByHas(node: ASTNode): ASTNode | undefined {
  if (node.op !== 'call') return undefined;
  const [name, [field]] = node.args;
  return name === 'has' && field?.op === '.' ? field.args[0] : undefined;
}

function literalKey(key: string | ASTNode): string | undefined {
  if (typeof key === 'string') return key;
  return key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
}

function boundByMacro(
  node: ASTNode,
): { readonly receiver: ASTNode; readonly name: string; readonly rest: readonly ASTNode[] } | undefined {
  if (node.op !== 'rcall') return undefined;
  const [method, receiver, [first, ...rest]] = node.args;
  if (!BINDING_MACROS.has(method) || first?.op !== 'id') return undefined;
  return { receiver, name: first.args, rest };
}

/** The nodes directly below a node. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}
