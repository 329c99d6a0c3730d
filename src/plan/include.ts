import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import validatePlan from '#validators/plan';
import { err, ok, type Result } from '../model/result.js';
import { parseYaml } from './document.js';
import type { Damage, Report } from './problems.js';
import { MAX_FILE_BYTES, neighbour, readSource } from './read-source.js';
import { checkSchema } from './schema-check.js';
import { entryAt, itemsOf, type MapNode, type SourceNode, type Span, textOf, valueAt } from './source-node.js';
import type { SourceText, SourceTexts } from './source-texts.js';
import { TEMPLATE_START } from './template.js';
import type { IncludedFile } from './valid-plan.js';

/** More files than this are a loop of a generator, or an attack. */
const MAX_INCLUDED_FILES = 100;

/** What only the plan that is run can say: an included file with one of these would be half obeyed. */
const OF_THE_PLAN_ALONE: readonly string[] = [
  'request',
  'type',
  'agents',
  'sync',
  'backup',
  'env',
  'limits',
  'pools',
  'failure',
  'defaults',
];

/** Keys of which a task under `finally` has no use; another check says so. */
const NOT_IN_FINALLY = ['needs', 'foreach', 'batch', 'inputs', 'outputs'];

/** A plan's own document and those that it includes. */
export interface PlanDocuments {
  /** Each after those that it includes, so that the plan's own is the last. Only documents that are mappings. */
  readonly roots: readonly MapNode[];
  readonly damages: readonly Damage[];
  /** A file that should have been included was not there, or not readable. */
  readonly incomplete: boolean;
}

/**
 * Parses the plan's own text and every file under `include`, direct and indirect, each once, and holds each against the
 * schema. Files are added to `sources`; `stored` ones are taken in place of those on the disk. Reports circles, files that cannot be read, and whatever is wrong in each.
 */
export function readDocuments(sources: SourceTexts, report: Report, stored?: readonly IncludedFile[]): PlanDocuments {
  const reader = new DocumentReader(sources, report, stored);
  reader.read(sources.main, []);
  return { roots: reader.roots, damages: reader.damages, incomplete: reader.incomplete };
}

/** A file on the way from the plan to where the reader is, and the `include` item that led to it. */
interface Step {
  readonly identity: string;
  readonly source: SourceText;
  readonly from: Span | undefined;
}

class DocumentReader {
  readonly roots: MapNode[] = [];
  readonly damages: Damage[] = [];
  incomplete = false;
  readonly #sources: SourceTexts;
  readonly #report: Report;
  readonly #read = new Set<string>();
  readonly #stored: ReadonlyMap<string, string>;
  #bytes = 0;

  constructor(sources: SourceTexts, report: Report, stored: readonly IncludedFile[] = []) {
    this.#sources = sources;
    this.#report = report;
    this.#stored = new Map(stored.map(({ file, text }) => [file, text]));
  }

  /** Reads a document and, before it joins the others, what it includes. */
  read(source: SourceText, way: readonly Step[], from?: Span): void {
    const identity = identityOf(source.file);
    this.#read.add(identity);
    const { root, damage } = parseYaml(source, this.#report);
    this.damages.push(...damage);
    if (root === undefined) return;
    const own = way.length === 0;
    checkSchema(validatePlan, root, this.#report, {
      document: own ? 'the plan' : 'the included file',
      mayLack: own ? [] : ['version', 'name', 'tasks'],
      leaveToOthers: (path, key) => path.length === 2 && path[0] === 'finally' && NOT_IN_FINALLY.includes(key),
    });
    if (root.kind !== 'map') return;
    if (!own) this.#checkKeys(root);
    const step: Step = { identity, source, from };
    for (const item of includesOf(root)) this.#include(item, [...way, step]);
    this.roots.push(root);
  }

  #include(item: SourceNode, way: readonly Step[]): void {
    const path = textOf(item);
    const including = way.at(-1)?.source;
    if (path === undefined || path === '' || including === undefined) return;
    const file = resolve(dirname(including.file), path);
    const identity = identityOf(file);
    const circle = way.findIndex((step) => step.identity === identity);
    if (circle !== -1) this.#reportCircle(item, way.slice(circle));
    else if (!this.#read.has(identity)) {
      const text = this.#textOf(file, path);
      if (text.ok) {
        const displayName = isAbsolute(path) ? path : join(dirname(including.displayName), path);
        this.read(this.#sources.add({ file, displayName, text: text.value }), way, item);
        return;
      }
      this.incomplete = true;
      this.#report({ code: 'INCLUDE', message: text.error.message, span: item, hint: text.error.hint });
    }
  }

  /** The text of a file that is to be included as `path`. */
  #textOf(file: string, path: string): Result<string, { readonly message: string; readonly hint?: string | undefined }> {
    if (path.includes(TEMPLATE_START)) return err({ message: "'include' is fixed: it holds no expressions" });
    const stored = this.#stored.get(file);
    if (stored !== undefined) return ok(stored);
    if (this.#read.size > MAX_INCLUDED_FILES) return err({ message: `a plan includes at most ${MAX_INCLUDED_FILES} files` });
    switch (kindOf(file)) {
      case 'missing': {
        const hint = neighbour(file) ?? `it was looked for at ${file}`;
        return err({ message: `cannot include '${path}': there is no such file`, hint });
      }
      case 'other':
        return err({ message: `cannot include '${path}': it is not a file` });
      case 'file': {
        const text = readSource(file);
        if (!text.ok) return err({ message: `cannot include '${path}': ${text.error.message}`, hint: text.error.hint });
        this.#bytes += text.value.length;
        if (this.#bytes <= MAX_FILE_BYTES) return text;
        return err({ message: `what the plan includes is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB, with '${path}'` });
      }
    }
  }

  #reportCircle(item: SourceNode, circle: readonly Step[]): void {
    const names = circle.map(({ source }) => source.displayName);
    const edges = circle.map((step, index) => ({
      message: `'${step.source.displayName}' includes '${names[(index + 1) % names.length]}'`,
      span: circle[index + 1]?.from ?? item,
    }));
    this.#report({
      code: 'INCLUDE',
      message: `files include each other in a circle: ${[...names, names[0]].join(' → ')}`,
      span: item,
      hint: 'remove one of these',
      related: edges.length > 1 ? edges : [],
    });
  }

  #checkKeys(root: MapNode): void {
    for (const key of OF_THE_PLAN_ALONE) {
      const entry = entryAt(root, key);
      if (entry === undefined) continue;
      const message = `'${key}' belongs to the plan that is run, not to a file that it includes`;
      this.#report({ code: 'INCLUDE', message, span: entry.key, hint: `move it to ${this.#sources.main.displayName}` });
    }
  }
}

/** The items of `include`; a text is a list of one. */
function includesOf(root: SourceNode): readonly SourceNode[] {
  const node = valueAt(root, 'include');
  return node?.kind === 'scalar' ? [node] : itemsOf(node);
}

/** One name for a file, whatever path leads to it. */
function identityOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** A pipe or a device is no file: to open one could wait for ever. */
function kindOf(file: string): 'file' | 'missing' | 'other' {
  try {
    return statSync(file).isFile() ? 'file' : 'other';
  } catch {
    // Not there, or a name that no file can have.
    return 'missing';
  }
}
