import { didYouMean } from './closest.js';
import type { NameUse } from './expression-uses.js';
import {
  type CheckedExpression,
  checkExpression,
  EXPRESSION_VARIABLES,
  type ExpressionVariable,
  syntaxOf,
  type TextProblem,
  tasksReadBy,
  templateExpressions,
  wholeExpression,
} from './expressions.js';
import type { ItemType } from './item-type.js';
import type { Report } from './problems.js';
import { type Shape, shapeOf } from './result-shapes.js';
import { entriesOf, itemsOf, type SourceNode, type Span, spanInText } from './source-node.js';

/** A task that an expression reads, and where it says so. */
export interface TaskRead {
  readonly task: string;
  /** Where it stands; found only when it is needed for a message. */
  readonly span: () => Span;
}

/** What all expressions of one task have to do with params and other tasks. */
export interface ExpressionFindings {
  readonly reads: TaskRead[];
  readonly params: Set<string>;
  /** Variables of the environment that are named, and where. */
  readonly env: { readonly name: string; readonly span: () => Span }[];
  readsAllParams: boolean;
  /** Every expression in which nothing else is wrong. */
  readonly sound: SoundExpression[];
}

/** An expression and its place: `offset` is where it begins in the node's text. */
export interface SoundExpression {
  readonly source: string;
  readonly node: SourceNode;
  readonly offset: number;
}

export function noFindings(): ExpressionFindings {
  return { reads: [], params: new Set(), env: [], readsAllParams: false, sound: [] };
}

/** What checks of expressions share within one plan. */
export interface ExpressionContext {
  /** The plan's source. */
  readonly text: string;
  readonly paramNames: ReadonlySet<string>;
  /** Names of the tasks that may be read, for hints. */
  readonly taskNames: ReadonlySet<string>;
  readonly report: Report;
  /** What is known of `item`; absent: nothing. */
  readonly item?: ItemType;
}

/** What an expression must come to. */
export type ExpressionRole = 'value' | 'condition' | 'list';

interface Place {
  readonly node: SourceNode;
  /** Offset of the expression in the node's text. */
  readonly offset: number;
  readonly allowed: readonly ExpressionVariable[];
  readonly role: ExpressionRole;
}

const WHERE_AVAILABLE: Readonly<Record<ExpressionVariable, string>> = {
  params: "declare it under 'params'",
  env: 'it is available in tasks',
  item: "it is there in a task with 'foreach', outside the foreach itself",
  index: "it is there in a task with 'foreach', outside the foreach itself",
  tasks: 'results of tasks can be read within tasks only',
  results: "it is there under 'success' only",
  prev: "it is there in a task with 'foreach: {each: …}'",
};

/** Checks the expressions of one plan and collects what they read. */
export class ExpressionChecker {
  readonly #context: ExpressionContext;

  constructor(context: ExpressionContext) {
    this.#context = context;
  }

  /** The same checks where `item` is known to be of a type. */
  forItems(item: ItemType): ExpressionChecker {
    return new ExpressionChecker({ ...this.#context, item });
  }

  /** Every `${{ … }}` in the texts of a value, at any depth. */
  template(node: SourceNode | undefined, allowed: readonly ExpressionVariable[], findings: ExpressionFindings): void {
    if (node === undefined) return;
    for (const item of itemsOf(node)) this.template(item, allowed, findings);
    for (const [key, entry] of entriesOf(node)) {
      if (key.includes('${{')) {
        this.#context.report({
          code: 'EXPRESSION',
          message: 'keys are not templated',
          span: entry.key,
          hint: 'put the expression in a value',
        });
      }
      this.template(entry.value, allowed, findings);
    }
    if (node.kind !== 'scalar' || typeof node.json !== 'string' || !node.json.includes('${{')) return;
    const expressions = templateExpressions(node.json);
    if (!expressions.ok) {
      this.#reportText(node, expressions.error, 0);
      return;
    }
    for (const { source, sourceStart } of expressions.value) {
      this.#check(source, { node, offset: sourceStart, allowed, role: 'value' }, findings);
    }
  }

  /**
   * A bare expression; one whole `${{ … }}` is accepted for it too. The bare text, or `undefined` where it is wrong.
   */
  bare(
    node: SourceNode,
    text: string,
    as: { readonly allowed: readonly ExpressionVariable[]; readonly role: ExpressionRole; readonly findings: ExpressionFindings },
  ): string | undefined {
    const whole = wholeExpression(text);
    const source = whole?.source ?? text;
    const place = { node, offset: whole?.sourceStart ?? 0, allowed: as.allowed, role: as.role };
    return this.#check(source, place, as.findings) ? source : undefined;
  }

  /** Reports every field that what is known of the variables cannot have. What the expression comes to, where that is known. */
  fields({ source, node, offset }: SoundExpression, variables: ReadonlyMap<string, Shape>): Shape {
    const ast = syntaxOf(source);
    if (ast === undefined) return undefined;
    const { shape, problems } = shapeOf(ast, variables);
    for (const problem of problems) this.#reportText(node, problem, offset, problem.hint);
    return shape;
  }

  /** Warns of an expression that takes the results of a task for granted which may be skipped, and never asks about null. */
  mayBeNull({ source, node, offset }: SoundExpression, optional: readonly string[]): void {
    if (/null|has\(|\?/.test(source)) return;
    const task = tasksReadBy(source).find((name) => optional.includes(name));
    if (task === undefined) return;
    this.#context.report({
      code: 'EXPRESSION',
      message: `the results of '${task}' are null when it is skipped, and this expression then fails`,
      span: spanInText(this.#context.text, node, { start: offset, end: offset + source.length }),
      hint: `write ${nameInTasks(task)}.results == null ? … : …, or make '${task}' required`,
      severity: 'warning',
    });
  }

  #check(source: string, place: Place, findings: ExpressionFindings): boolean {
    const checked = checkExpression(source, place.allowed, this.#context.item);
    if (!checked.ok) {
      this.#reportText(place.node, checked.error, place.offset, this.#hintFor(checked.error, source, place.allowed));
      return false;
    }
    return (
      this.#checkParams(checked.value, place, findings) &&
      this.#checkRole(checked.value, source, place) &&
      this.#collect(checked.value, source, place, findings)
    );
  }

  #checkParams(checked: CheckedExpression, place: Place, findings: ExpressionFindings): boolean {
    let known = true;
    for (const use of checked.paramUses) {
      findings.params.add(use.name);
      if (this.#context.paramNames.has(use.name)) continue;
      known = false;
      const hint = didYouMean(use.name, this.#context.paramNames) ?? "declare it under 'params'";
      this.#reportText(
        place.node,
        { message: `there is no param '${use.name}'`, start: use.start, end: use.end },
        place.offset,
        hint,
      );
    }
    if (checked.readsAllParams) findings.readsAllParams = true;
    return known;
  }

  #checkRole(checked: CheckedExpression, source: string, place: Place): boolean {
    const { type } = checked;
    const fits =
      place.role === 'value' || type === 'dyn' || (place.role === 'condition' ? type === 'bool' : type.startsWith('list'));
    if (fits) return true;
    const wanted = place.role === 'condition' ? 'true or false' : 'a list';
    this.#reportText(
      place.node,
      { message: `the expression must come to ${wanted}, not ${type}`, start: 0, end: source.length },
      place.offset,
    );
    return false;
  }

  #collect(checked: CheckedExpression, source: string, place: Place, findings: ExpressionFindings): boolean {
    const spanOf = (use: NameUse) => () =>
      spanInText(this.#context.text, place.node, { start: place.offset + use.start, end: place.offset + use.end });
    for (const use of checked.taskUses) findings.reads.push({ task: use.name, span: spanOf(use) });
    for (const use of checked.envUses) findings.env.push({ name: use.name, span: spanOf(use) });
    findings.sound.push({ source, node: place.node, offset: place.offset });
    return true;
  }

  #reportText(node: SourceNode, problem: TextProblem, offset: number, hint?: string): void {
    const part = { start: offset + problem.start, end: offset + problem.end };
    this.#context.report({
      code: 'EXPRESSION',
      message: problem.message,
      span: spanInText(this.#context.text, node, part),
      hint,
    });
  }

  #hintFor(problem: TextProblem, source: string, allowed: readonly ExpressionVariable[]): string | undefined {
    const unavailable = /^'(\w+)' is not available here$/.exec(problem.message)?.[1];
    const variable = EXPRESSION_VARIABLES.find((name) => name === unavailable);
    if (variable !== undefined) return WHERE_AVAILABLE[variable];
    const dashed = this.#dashedTaskIn(source);
    if (dashed !== undefined) return `write tasks["${dashed}"]: '-' and '.' end a name in an expression`;
    const field = /^an item has no '(.*)'$/s.exec(problem.message)?.[1];
    const fields = this.#context.item?.fields;
    if (field !== undefined && fields !== undefined) {
      return didYouMean(field, fields) ?? (fields.size === 0 ? undefined : `an item has ${[...fields].slice(0, 20).join(', ')}`);
    }
    const unknown = /^unknown variable: (\w+)$/.exec(problem.message)?.[1];
    if (unknown === undefined) return undefined;
    if (this.#context.paramNames.has(unknown)) return `did you mean 'params.${unknown}'?`;
    if (this.#context.taskNames.has(unknown)) return `did you mean 'tasks.${unknown}.results'?`;
    return didYouMean(unknown, allowed) ?? `the names here are ${allowed.join(', ')}; text needs quotes`;
  }

  /** A task whose name an expression spells behind `tasks.`, although the language cannot read it so. */
  #dashedTaskIn(source: string): string | undefined {
    for (const match of source.matchAll(/\btasks\.([A-Za-z0-9][A-Za-z0-9._-]{0,128})/g)) {
      const written = match[1] ?? '';
      for (let end = written.length; end > 0; end -= 1) {
        const name = written.slice(0, end);
        if (this.#context.taskNames.has(name)) {
          if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
          break;
        }
      }
    }
    return undefined;
  }
}

/** A task as expressions name it. */
function nameInTasks(task: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(task) ? `tasks.${task}` : `tasks["${task}"]`;
}
