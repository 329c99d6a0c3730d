import type { JsonObject } from '../model/json.js';
import { checkInput } from './built-in.js';
import { didYouMean } from './closest.js';
import { type ExpressionChecker, type ExpressionFindings, noFindings, type TaskRead } from './expression-check.js';
import type { ExpressionVariable } from './expressions.js';
import { ANY_ITEM, BATCH_OF_ITEMS } from './item-type.js';
import type { ModuleFinder } from './module-path.js';
import type { Params } from './params.js';
import { type Patience, readDuration, readPatience } from './patience.js';
import type { Report } from './problems.js';
import { type FanOut, readForeach } from './read-foreach.js';
import { outcomeShape, type Shape } from './result-shapes.js';
import { checkCommand } from './shell-check.js';
import {
  entriesOf,
  entryAt,
  itemsOf,
  type MapEntry,
  numberOf,
  type SourceNode,
  type Span,
  spanInText,
  textOf,
  valueAt,
  writtenText,
} from './source-node.js';
import type { SourceTexts } from './source-texts.js';
import { taskHash } from './task-hash.js';
import { TEMPLATE_START } from './template.js';
import { type PoolShare, startsCommand, type TaskDefinition, type Work } from './valid-plan.js';

/** A need as written. */
export interface WrittenNeed {
  readonly task: string;
  readonly span: Span;
  readonly optional: boolean;
}

/** A task as read so far: complete but for what takes all tasks to know. */
export interface TaskDraft {
  readonly id: string;
  /** Where its name stands. */
  readonly key: Span;
  readonly inFinally: boolean;
  readonly needs: readonly WrittenNeed[];
  readonly reads: readonly TaskRead[];
  /** Absent where a mistake was reported that leaves nothing to run. */
  readonly definition: TaskDefinition | undefined;
}

/** What tasks take from the plan around them. */
export interface TaskSurroundings {
  readonly sources: SourceTexts;
  readonly report: Report;
  readonly expressions: ExpressionChecker;
  readonly modules: ModuleFinder;
  readonly params: Params;
  readonly secrets: ReadonlySet<string>;
  /** The pools that the plan declares, by name, with the node of their size; undefined: without bounds. */
  readonly pools: ReadonlyMap<string, SourceNode | undefined>;
  /** The plan's `env`, values as written. */
  readonly env: ReadonlyMap<string, string>;
  /** What the expressions of the plan's `env` read. */
  readonly envFindings: ExpressionFindings;
  readonly defaults: Patience;
  /** `tasks` as expressions see it, as far as that is known before the run. */
  readonly tasksShape: Shape;
}

/** Reads one entry of `tasks` or `finally`, reporting every mistake that shows in the task alone. */
export function readTask(id: string, entry: MapEntry, around: TaskSurroundings & { readonly inFinally: boolean }): TaskDraft {
  return new TaskReader(id, entry, around).draft();
}

class TaskReader {
  readonly #id: string;
  readonly #key: Span;
  readonly #node: SourceNode;
  readonly #around: TaskSurroundings & { readonly inFinally: boolean };
  readonly #findings = noFindings();
  readonly #fanOut: FanOut | undefined;
  readonly #expressions: ExpressionChecker;
  readonly #allowed: readonly ExpressionVariable[];
  /** A template that was not found might have said whatever is missing here. */
  readonly #lacksTemplate: boolean;

  constructor(id: string, entry: MapEntry, around: TaskSurroundings & { readonly inFinally: boolean }) {
    this.#id = id;
    this.#key = entry.key;
    this.#node = entry.value;
    this.#around = around;
    this.#lacksTemplate = valueAt(entry.value, 'template') !== undefined;
    const foreach = around.inFinally ? undefined : valueAt(entry.value, 'foreach');
    this.#fanOut = foreach && readForeach(foreach, around, this.#findings);
    const batched = valueAt(entry.value, 'batch') !== undefined;
    this.#expressions = around.expressions.forItems(batched ? BATCH_OF_ITEMS : (this.#fanOut?.item ?? ANY_ITEM));
    const fansOut = foreach !== undefined || this.#lacksTemplate;
    const pairs = fansOut && valueAt(valueAt(entry.value, 'foreach'), 'each') !== undefined;
    this.#allowed = [
      'params',
      'env',
      'tasks',
      ...(fansOut ? (['item', 'index'] as const) : []),
      ...(pairs ? (['prev'] as const) : []),
    ];
  }

  draft(): TaskDraft {
    if (this.#node.kind === 'map' && !this.#lacksTemplate) this.#checkCombinations();
    const needs = needsOf(this.#at('needs'));
    const definition = this.#definition();
    const item = this.#checkFields();
    this.#checkOptional(needs);
    if (definition !== undefined && !this.#lacksTemplate)
      checkCommand(this.#node, definition, { item: this.#fanOut?.item, shape: item }, this.#around);
    const { inFinally } = this.#around;
    return { id: this.#id, key: this.#key, inFinally, needs: inFinally ? [] : needs, reads: this.#findings.reads, definition };
  }

  #at(key: string): SourceNode | undefined {
    return valueAt(this.#node, key);
  }

  #report(code: Parameters<Report>[0]['code'], message: string, span: Span, hint?: string): void {
    this.#around.report({ code, message, span, hint });
  }

  #checkCombinations(): void {
    const run = entryAt(this.#node, 'run');
    const uses = entryAt(this.#node, 'uses');
    if (run === undefined && uses === undefined) {
      this.#report(
        'RUN-USES',
        `task '${this.#id}' does nothing: it has neither 'run' nor 'uses'`,
        this.#key,
        'add one of the two',
      );
    }
    if (run !== undefined && uses !== undefined) {
      const related = [
        { message: "'run' is here", span: run.key },
        { message: "'uses' is here", span: uses.key },
      ];
      const message = `task '${this.#id}' has both 'run' and 'uses'`;
      this.#around.report({ code: 'RUN-USES', message, span: this.#key, hint: 'remove one of the two', related });
    }
    this.#misplaced(
      'with',
      run !== undefined && uses === undefined,
      "'with' is input for 'uses'; a command has none",
      "use 'env', or a list of arguments",
    );
    this.#misplaced('output', uses !== undefined && run === undefined, "'output' is for commands; a module returns its results");
    this.#misplaced('batch', this.#at('foreach') === undefined, "'batch' has no effect without 'foreach'");
    const pairs = valueAt(this.#at('foreach'), 'each') !== undefined;
    this.#misplaced('batch', pairs, "'batch' does not go with 'each': there is one subtask for each of the other task's");
    if (!this.#around.inFinally) return;
    for (const key of ['needs', 'foreach', 'batch', 'inputs', 'outputs']) {
      this.#misplaced(
        key,
        true,
        `a task under 'finally' has no '${key}': it runs once, after everything else`,
        undefined,
        'FINALLY',
      );
    }
  }

  #misplaced(key: string, wrong: boolean, message: string, hint?: string, code: 'VALUE' | 'FINALLY' = 'VALUE'): void {
    const entry = entryAt(this.#node, key);
    if (!wrong || entry === undefined) return;
    if (code === 'VALUE' && this.#around.inFinally && key === 'batch') return;
    this.#report(code, message, entry.key, hint);
  }

  #definition(): TaskDefinition | undefined {
    const work = this.#work();
    const input = this.#at('with');
    const uses = entryAt(this.#node, 'uses');
    if (work?.kind === 'builtin' && uses !== undefined) {
      checkInput(work.action, { uses, input, report: this.#around.report });
      const command = work.action === 'agent/prompt' ? valueAt(input, 'command') : undefined;
      if (command !== undefined) this.#checkArguments(command);
    }
    this.#expressions.template(input, this.#allowed, this.#findings);
    const env = this.#env();
    const cwd = this.#at('cwd');
    this.#expressions.template(cwd, this.#allowed, this.#findings);
    const condition = this.#condition();
    const success = itemsOf(this.#at('success')).flatMap((item) => this.#conditionAt(item, [...this.#allowed, 'results']) ?? []);
    const inputs = this.#patterns('inputs');
    const outputs = this.#patterns('outputs');
    const shared = {
      phase: textOf(this.#at('phase')),
      with: input?.json,
      env,
      cwd: textOf(cwd),
      output: this.#output(),
      if: condition,
      success,
      foreach: this.#fanOut?.source,
      ...this.#pool(),
      batch: this.#around.inFinally ? undefined : numberOf(this.#at('batch')),
      ...readPatience(this.#node, this.#around.defaults, this.#around.report),
      estimateMs: readDuration(this.#at('estimate'), { positive: true }, this.#around.report),
    };
    if (work === undefined) return undefined;
    return {
      id: this.#id,
      needs: [],
      work,
      ...shared,
      reads: [...new Set(this.#findings.reads.map((read) => read.task))],
      ...(inputs && { inputs }),
      ...(outputs && { outputs }),
      ...(inputs && { envReads: this.#environment(work) }),
      hash: taskHash({ work, ...shared }, this.#visibleParams(work)),
      range: this.#around.sources.place(this.#key).range,
    };
  }

  /** Not so in `foreach`: a fan-out over what was skipped is skipped. */
  #checkOptional(needs: readonly WrittenNeed[]): void {
    const optional = needs.flatMap((need) => (need.optional ? [need.task] : []));
    if (optional.length === 0) return;
    for (const sound of this.#findings.sound) this.#expressions.mayBeNull(sound, optional);
  }

  /** Fields of results that are known not to be there. What is known of the items by that. */
  #checkFields(): Shape {
    const { tasksShape, report } = this.#around;
    const expression = this.#fanOut?.expression;
    const list = expression && this.#expressions.fields(expression, new Map([['tasks', tasksShape]]));
    if (expression !== undefined && (list?.type === 'object' || list?.type === 'string')) {
      const lists = Object.entries(list.properties ?? {}).flatMap(([name, { type }]) => (type === 'array' ? [name] : []));
      const hint = lists[0] === undefined ? undefined : `did you mean '${expression.source}.${lists[0]}'?`;
      report({ code: 'EXPRESSION', message: "'foreach' must come to a list, and this does not", span: expression.node, hint });
    }
    const batched = this.#at('batch') !== undefined;
    const item: Shape = batched ? { type: 'array', ...(list?.items && { items: list.items }) } : list?.items;
    const variables = new Map<string, Shape>([
      ['tasks', tasksShape],
      ['item', item],
      ['results', outcomeShape(this.#node)],
    ]);
    for (const sound of this.#findings.sound) this.#expressions.fields(sound, variables);
    return list?.items;
  }

  #work(): Work | undefined {
    const run = this.#at('run');
    const uses = this.#at('uses');
    const usesText = textOf(uses);
    if (run === undefined && uses !== undefined && usesText !== undefined) {
      return this.#around.modules.find(usesText, uses, this.#around.report);
    }
    if (run === undefined) return undefined;
    if (run.kind === 'list') {
      this.#checkArguments(run);
      return { kind: 'argv', argv: run.items.map((item) => writtenText(item) ?? '') };
    }
    const command = textOf(run);
    if (command === undefined) return undefined;
    const start = command.indexOf(TEMPLATE_START);
    if (start !== -1) {
      const close = command.indexOf('}}', start);
      const part = { start, end: close === -1 ? start + TEMPLATE_START.length : close + 2 };
      this.#report(
        'SHELL-TEMPLATE',
        "text for a shell is never templated: a value with a quote or a ';' in it would become code",
        spanInText(this.#around.sources.text, run, part),
        'two right ways: read "$ITEM", "$PARAM_<name>" or a variable of env: in the command; or make run a list, ' +
          `without a shell: run: [echo, "\${{ item }}"]`,
      );
    } else if (command.trim() === '') {
      this.#report('VALUE', "'run' is empty", run);
    }
    return { kind: 'shell', command };
  }

  /** Every user of the machine reads the arguments of its processes, so that none may hold a secret. */
  #checkArguments(run: SourceNode): void {
    const before = this.#findings.env.length;
    this.#expressions.template(run, this.#allowed, this.#findings);
    for (const { name, span } of this.#findings.env.slice(before)) {
      if (!this.#around.secrets.has(name)) continue;
      const message = `the secret ${name} would be an argument, which the list of processes shows to everybody`;
      this.#report('SECRET', message, span(), `commands have $${name} in their environment: let the program read it there`);
    }
  }

  #pool(): { readonly pool?: PoolShare } {
    const node = this.#at('pool');
    const name = textOf(node) !== undefined ? node : valueAt(node, 'name');
    const pool = textOf(name);
    if (name === undefined || pool === undefined) return {};
    const { pools } = this.#around;
    if (!pools.has(pool)) {
      const hint = didYouMean(pool, [...pools.keys()]) ?? "declare it under 'pools'";
      this.#report('VALUE', `there is no pool '${pool}'`, name, hint);
    }
    const written = valueAt(node, 'weight');
    const weight = numberOf(written) ?? 1;
    const size = pools.get(pool);
    const max = numberOf(size);
    if (written !== undefined && size !== undefined && max !== undefined && weight > max) {
      this.#around.report({
        code: 'VALUE',
        message: `'weight' is ${weight}, and pool '${pool}' has room for ${max}`,
        span: written,
        hint: `lower the weight to ${max} or less, or raise the size of the pool`,
        related: [{ message: `the size of '${pool}' is here`, span: size }],
      });
    }
    return { pool: { pool, weight } };
  }

  #env(): Readonly<Record<string, string>> {
    const node = this.#at('env');
    this.#expressions.template(node, this.#allowed, this.#findings);
    return Object.fromEntries([...this.#around.env, ...envOf(node)]);
  }

  #output(): TaskDefinition['output'] {
    const written = textOf(this.#at('output'));
    return written === 'lines' || written === 'json' ? written : 'text';
  }

  /** The texts of `inputs` or `outputs`, as written. */
  #patterns(key: 'inputs' | 'outputs'): readonly string[] | undefined {
    const node = this.#at(key);
    if (node === undefined || this.#around.inFinally) return undefined;
    this.#expressions.template(node, this.#allowed, this.#findings);
    return itemsOf(node).flatMap((item) => writtenText(item) ?? []);
  }

  /** The variables of the environment that the task names, by an expression or in the text for its shell. */
  #environment(work: Work): readonly string[] {
    const named = [...this.#findings.env, ...this.#around.envFindings.env].map(({ name }) => name);
    const inShell = work.kind === 'shell' ? [...work.command.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name]) => name ?? '') : [];
    return [...new Set([...named, ...inShell])].sort();
  }

  /** The params that can have a part in what the task does. */
  #visibleParams(work: Work): JsonObject {
    const { params, envFindings } = this.#around;
    // A command gets all of them as variables.
    const seesAll = startsCommand(work) || this.#findings.readsAllParams || envFindings.readsAllParams;
    const names = new Set([...this.#findings.params, ...envFindings.params]);
    return Object.fromEntries(Object.entries(params.values).filter(([name]) => seesAll || names.has(name)));
  }

  #condition(): string | undefined {
    const node = this.#at('if');
    if (node?.kind === 'scalar' && typeof node.json === 'boolean') return String(node.json);
    return node === undefined ? undefined : this.#conditionAt(node, this.#allowed);
  }

  #conditionAt(node: SourceNode, allowed: readonly ExpressionVariable[]): string | undefined {
    const text = textOf(node);
    if (text === undefined) return undefined;
    return this.#expressions.bare(node, text, { allowed, role: 'condition', findings: this.#findings });
  }
}

/** `needs`: a list of names, or a mapping that says of each whether it is required. */
function needsOf(node: SourceNode | undefined): readonly WrittenNeed[] {
  const listed = itemsOf(node).flatMap((item) => {
    const task = writtenText(item);
    return task === undefined ? [] : [{ task, span: item, optional: false }];
  });
  const mapped = [...entriesOf(node)].map(([task, { key, value }]) => ({
    task,
    span: key,
    optional: textOf(value) === 'optional',
  }));
  return [...listed, ...mapped];
}

/** The variables of an `env` mapping, values as written. */
export function envOf(node: SourceNode | undefined): readonly (readonly [string, string])[] {
  return [...entriesOf(node)].flatMap(([name, entry]) => {
    const value = writtenText(entry.value);
    return value === undefined ? [] : [[name, value] as const];
  });
}
