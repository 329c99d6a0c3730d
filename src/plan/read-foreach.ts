import { formatOfName, layoutOf, RECORD_FORMATS, type RecordOptions } from '../data/record-format.js';
import type { JsonObject } from '../model/json.js';
import { warnOfChangedText } from './changed-text.js';
import { didYouMean } from './closest.js';
import { variableFields } from './command-variables.js';
import { type ExpressionChecker, type ExpressionFindings, noFindings, type SoundExpression } from './expression-check.js';
import { type ExpressionVariable, wholeExpression } from './expressions.js';
import { ANY_ITEM, type ItemType, itemTypeOf, objectType } from './item-type.js';
import { crossSize, MAX_COMBINATIONS, tooManyCombinations } from './matrix-size.js';
import type { Report } from './problems.js';
import { entriesOf, entryAt, itemsOf, type MapNode, type SourceNode, textOf, valueAt } from './source-node.js';
import { TEMPLATE_START } from './template.js';
import type { FanOutSource, MatrixAxis } from './valid-plan.js';

/** What `foreach` says. */
export interface FanOut {
  /** Absent where a mistake was reported. */
  readonly source: FanOutSource | undefined;
  /** What is known of the items. */
  readonly item: ItemType;
  /** The one expression that the items come from, where nothing is wrong with it. */
  readonly expression?: SoundExpression | undefined;
}

/** What an expression under `foreach` may use: there is no item yet. */
const ALLOWED: readonly ExpressionVariable[] = ['params', 'env', 'tasks'];

/** What may be said of `file`. */
const FILE_OPTIONS = ['format', 'delimiter', 'header', 'encoding'] as const satisfies readonly (keyof RecordOptions)[];

const MATRIX_WORDS: readonly string[] = ['include', 'exclude'];

const NOT_TEMPLATED_HINT = `make the whole list one expression, such as "\${{ [params.a, 'b'] }}"`;

/** Reads `foreach` and reports every mistake in it; the tasks that its expressions read are added to `findings`. */
export function readForeach(
  node: SourceNode,
  around: { readonly expressions: ExpressionChecker; readonly report: Report },
  findings: ExpressionFindings,
): FanOut {
  const own = noFindings();
  const fanOut = new ForeachReader(around, own).read(node);
  findings.reads.push(...own.reads);
  return fanOut;
}

const NOTHING: FanOut = { source: undefined, item: ANY_ITEM };

class ForeachReader {
  readonly #expressions: ExpressionChecker;
  readonly #report: Report;
  readonly #findings: ExpressionFindings;

  constructor(around: { readonly expressions: ExpressionChecker; readonly report: Report }, findings: ExpressionFindings) {
    this.#expressions = around.expressions;
    this.#report = around.report;
    this.#findings = findings;
  }

  read(node: SourceNode): FanOut {
    switch (node.kind) {
      case 'list':
        this.#notTemplated(node.items, "the items of a list under 'foreach' are not templated");
        warnOfChangedText(node, this.#report);
        if (node.items.length === 0) {
          const message = "an empty list under 'foreach': the task has no subtasks";
          this.#report({ code: 'VALUE', message, span: node, severity: 'warning' });
        }
        return { source: { kind: 'list', items: node.json }, item: itemTypeOf(node.json) };
      case 'map':
        return this.#mapping(node);
      case 'scalar': {
        const expression = this.#listExpression(node, "'foreach' must be a list, or");
        if (expression === undefined) return NOTHING;
        return {
          source: { kind: 'expression', expression, tasks: this.#tasks() },
          item: ANY_ITEM,
          expression: this.#findings.sound[0],
        };
      }
    }
  }

  #mapping(node: MapNode): FanOut {
    const ways = ['matrix', 'file', 'each'].flatMap((key) => entryAt(node, key) ?? []);
    const [first, second] = ways;
    if (first === undefined || second !== undefined) {
      const message = `a mapping under 'foreach' has one of 'matrix', 'file' and 'each'`;
      this.#report({ code: 'VALUE', message, span: second?.key ?? node });
      return NOTHING;
    }
    for (const option of FILE_OPTIONS) {
      const entry = entryAt(node, option);
      if (entry === undefined || valueAt(node, 'file') !== undefined) continue;
      this.#report({ code: 'VALUE', message: `'${option}' has no effect without 'file'`, span: entry.key });
    }
    const matrix = valueAt(node, 'matrix');
    if (matrix?.kind === 'map') return this.#matrix(matrix);
    const file = valueAt(node, 'file');
    if (file !== undefined) return this.#file(file, node);
    const each = valueAt(node, 'each');
    return each === undefined ? NOTHING : this.#each(each);
  }

  /** Its items are the other task's, whatever these are. */
  #each(node: SourceNode): FanOut {
    const task = textOf(node);
    if (task === undefined) return NOTHING;
    this.#findings.reads.push({ task, span: () => node });
    return { source: { kind: 'each', task }, item: ANY_ITEM };
  }

  #file(node: SourceNode, foreach: MapNode): FanOut {
    const path = textOf(node);
    if (path === undefined) return NOTHING;
    this.#expressions.template(node, ALLOWED, this.#findings);
    const fixed = !path.includes(TEMPLATE_START);
    const written = textOf(valueAt(foreach, 'format'));
    const header = valueAt(foreach, 'header');
    const options: RecordOptions = {
      format: RECORD_FORMATS.find((known) => known === written) ?? (fixed ? formatOfName(path) : undefined),
      delimiter: textOf(valueAt(foreach, 'delimiter')),
      header: header?.kind === 'scalar' && typeof header.json === 'boolean' ? header.json : undefined,
      encoding: textOf(valueAt(foreach, 'encoding')),
    };
    // A format that there is not is reported by the schema; one that the path's expressions decide is known when it runs.
    const known = options.format !== undefined || (fixed && written === undefined);
    const layout = known ? layoutOf(path, options) : undefined;
    if (layout?.ok === false) {
      const { option, message } = layout.error;
      this.#report({ code: 'VALUE', message, span: valueAt(foreach, option) ?? node });
    }
    return { source: { kind: 'file', path, options, tasks: this.#tasks() }, item: itemTypeIn(options) };
  }

  #matrix(node: MapNode): FanOut {
    const axes: MatrixAxis[] = [];
    for (const [name, { value }] of entriesOf(node)) {
      if (MATRIX_WORDS.includes(name)) continue;
      if (value.kind === 'list') {
        this.#notTemplated(value.items, 'the values of an axis are not templated');
        axes.push({ name, values: value.json });
      } else {
        const expression = this.#listExpression(value, `'${name}' must be a list, or`);
        if (expression !== undefined) axes.push({ name, values: { expression } });
      }
    }
    warnOfChangedText(node, this.#report);
    const exclude = this.#entries(valueAt(node, 'exclude'));
    const include = this.#entries(valueAt(node, 'include'));
    this.#checkExcluded(valueAt(node, 'exclude'), axes);
    const lists = axes.map(({ values }) => ('expression' in values ? undefined : values));
    const size = crossSize(lists.map((list) => list?.length ?? 1));
    if (size > MAX_COMBINATIONS) this.#report({ code: 'VALUE', message: tooManyCombinations(size), span: node });
    const fields = new Set([...axes.map(({ name }) => name), ...include.flatMap((entry) => Object.keys(entry))]);
    const values = [...lists.flatMap((list) => list ?? [null]), ...include.flatMap((entry) => Object.values(entry))];
    return {
      source: { kind: 'matrix', axes, exclude, include, tasks: this.#tasks() },
      item: {
        ...objectType(
          fields,
          values.every((value) => typeof value === 'string'),
        ),
        variables: new Set([...axes.flatMap(variableOfAxis), ...include.flatMap(variableFields)]),
      },
    };
  }

  #entries(node: SourceNode | undefined): readonly JsonObject[] {
    this.#notTemplated(itemsOf(node), 'what a matrix includes and excludes is not templated');
    return itemsOf(node).flatMap((item) => (item.kind === 'map' ? [item.json] : []));
  }

  /** An exclusion by a name that is no axis would exclude nothing, and nobody would see. */
  #checkExcluded(node: SourceNode | undefined, axes: readonly MatrixAxis[]): void {
    const names = axes.map(({ name }) => name);
    for (const item of itemsOf(node)) {
      for (const [name, { key }] of entriesOf(item)) {
        if (names.includes(name)) continue;
        const hint = didYouMean(name, names) ?? `the axes are ${names.join(', ')}`;
        this.#report({ code: 'VALUE', message: `the matrix has no axis '${name}'`, span: key, hint });
      }
    }
  }

  #notTemplated(items: readonly SourceNode[], message: string): void {
    const templated = items.find((item) => JSON.stringify(item.json).includes(TEMPLATE_START));
    if (templated !== undefined) this.#report({ code: 'EXPRESSION', message, span: templated, hint: NOT_TEMPLATED_HINT });
  }

  /** The expression of a text that is one whole `${{ … }}` and comes to a list. */
  #listExpression(node: SourceNode, must: string): string | undefined {
    const text = textOf(node);
    // Anything but text is reported by the schema.
    if (text === undefined) return undefined;
    if (wholeExpression(text) !== undefined) {
      return this.#expressions.bare(node, text, { allowed: ALLOWED, role: 'list', findings: this.#findings });
    }
    const hint =
      /[.[(]/.test(text) && !text.includes('{{')
        ? `did you mean "\${{ ${text.trim()} }}"?`
        : `such as [a, b] or "\${{ tasks.scan.results }}"`;
    this.#report({ code: 'VALUE', message: `${must} one whole expression \${{ … }} whose value is a list`, span: node, hint });
    return undefined;
  }

  #tasks(): readonly string[] {
    return [...new Set(this.#findings.reads.map((read) => read.task))];
  }
}

/** The name of an axis whose values may be variables. */
function variableOfAxis({ name, values }: MatrixAxis): readonly string[] {
  return 'expression' in values ? [name] : values.flatMap((value) => variableFields({ [name]: value })).slice(0, 1);
}

function itemTypeIn({ format, header }: RecordOptions): ItemType {
  switch (format) {
    case 'csv':
    case 'tsv':
      return header === false ? { type: 'list', variables: new Set() } : { type: 'map<string, string>' };
    case 'lines':
      return { type: 'string', variables: new Set() };
    case 'json':
    case 'jsonl':
    case undefined:
      return ANY_ITEM;
  }
}
