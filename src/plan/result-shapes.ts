import type { ASTNode } from '@marcbachmann/cel-js';
import { isBuiltInAction, type ResultSchema, resultSchema } from './built-in.js';
import { didYouMean } from './closest.js';
import { BINDING_MACROS } from './expression-uses.js';
import { entriesOf, type SourceNode, textOf, valueAt } from './source-node.js';

/*
 * What results are known to look like before the run: those of commands, and of built-in actions, by their schemas.
 * A field that such a result does not have is a mistake that shows in the plan. Whatever is not known is let pass.
 */

/** What a value looks like; `undefined` where the plan does not tell. */
export type Shape = ResultSchema | undefined;

/** A field that the value before it does not have, by offsets into the expression. */
export interface FieldProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly hint: string | undefined;
}

/** `tasks` as expressions see it, as far as the entries in the plan tell what each one's results look like. */
export function tasksShape(root: SourceNode): ResultSchema {
  const named = [...entriesOf(valueAt(root, 'tasks'))].map(([name, { value }]) => {
    const results = listed(outcomeShape(value), value);
    return [name, { properties: { ...(results && { results }) } }] as const;
  });
  return { properties: Object.fromEntries(named) };
}

/** What one subtask of a task comes to, as its `success` sees it. */
export function outcomeShape(task: SourceNode): Shape {
  const uses = textOf(valueAt(task, 'uses'));
  if (uses !== undefined) return isBuiltInAction(uses) ? resultSchema(uses) : undefined;
  if (valueAt(task, 'run') === undefined) return undefined;
  const output = textOf(valueAt(task, 'output')) ?? 'text';
  return COMMAND_SHAPES.get(output);
}

function listed(shape: Shape, task: SourceNode): Shape {
  if (valueAt(task, 'foreach') === undefined) return shape;
  return { type: 'array', ...(shape && { items: shape }) };
}

const TEXT: ResultSchema = { type: 'string' };

function commandShape(stdout: ResultSchema): ResultSchema {
  // The exit code is null where a signal ended the command.
  return { type: 'object', additionalProperties: false, properties: { exitCode: {}, stdout, stderr: TEXT } };
}

const COMMAND_SHAPES: ReadonlyMap<string, ResultSchema> = new Map([
  ['text', commandShape(TEXT)],
  ['lines', commandShape({ type: 'array', items: TEXT })],
  ['json', commandShape({})],
]);

/** What an expression comes to, and every field in it that cannot be there. `variables`: what is known of its names. */
export function shapeOf(
  ast: ASTNode,
  variables: ReadonlyMap<string, Shape>,
): { readonly shape: Shape; readonly problems: readonly FieldProblem[] } {
  const reader = new ShapeReader();
  return { shape: reader.read(ast, variables), problems: reader.problems };
}

class ShapeReader {
  readonly problems: FieldProblem[] = [];

  read(node: ASTNode, variables: ReadonlyMap<string, Shape>): Shape {
    switch (node.op) {
      case 'value':
        return typeof node.args === 'string' ? TEXT : undefined;
      case 'id':
        return variables.get(node.args);
      case '.': {
        const [object, key] = node.args;
        return this.#field(this.read(object, variables), key, node);
      }
      case '[]': {
        const [object, key] = node.args;
        const shape = this.read(object, variables);
        this.read(key, variables);
        if (key.op === 'value' && typeof key.args === 'string') return this.#field(shape, key.args, node);
        return isList(shape) ? shape?.items : undefined;
      }
      case '.?':
        this.read(node.args[0], variables);
        return undefined;
      case 'rcall':
        return this.#call(node, variables);
      case 'call':
        for (const argument of node.args[1]) this.read(argument, variables);
        return undefined;
      case 'map':
        for (const child of node.args.flat()) this.read(child, variables);
        return { type: 'object' };
      case 'list': {
        const [first, ...rest] = node.args.map((item) => this.read(item, variables));
        return { type: 'array', ...(rest.length === 0 && first && { items: first }) };
      }
      case '!_':
      case '-_':
        this.read(node.args, variables);
        return undefined;
      default:
        for (const child of node.args) this.read(child, variables);
        return undefined;
    }
  }

  #call(node: Extract<ASTNode, { op: 'rcall' }>, variables: ReadonlyMap<string, Shape>): Shape {
    const [method, receiver, args] = node.args;
    const shape = this.read(receiver, variables);
    const [bound, ...rest] = args;
    if (!BINDING_MACROS.has(method) || bound?.op !== 'id') {
      for (const argument of args) this.read(argument, variables);
      return undefined;
    }
    const inner = new Map(variables);
    inner.set(bound.args, method !== 'bind' && isList(shape) ? shape?.items : undefined);
    const last = rest.map((argument) => this.read(argument, inner)).at(-1);
    if (method === 'filter') return shape;
    return method === 'map' ? { type: 'array', ...(last && { items: last }) } : undefined;
  }

  #field(shape: Shape, name: string, node: ASTNode): Shape {
    if (shape === undefined) return undefined;
    const known = shape.properties;
    if (known !== undefined && Object.hasOwn(known, name)) return known[name];
    const named = node.op === '.' ? { start: node.end - name.length, end: node.end } : { start: node.start, end: node.end };
    if (known !== undefined && shape.additionalProperties === false) {
      const fields = Object.keys(known);
      this.problems.push({
        ...named,
        message: `there is no '${name}' in these results`,
        hint: didYouMean(name, fields) ?? `they have ${fields.join(', ')}`,
      });
    } else if (isList(shape)) {
      const inItems = shape.items?.properties !== undefined && Object.hasOwn(shape.items.properties, name);
      this.problems.push({
        ...named,
        message: `a list has no '${name}'`,
        hint: inItems ? `each item of it has: .map(r, r.${name})` : undefined,
      });
    } else if (shape.type === 'string') {
      this.problems.push({ ...named, message: `a text has no '${name}'`, hint: undefined });
    }
    return undefined;
  }
}

function isList(shape: Shape): boolean {
  return shape?.type === 'array';
}
