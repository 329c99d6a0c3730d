import { didYouMean } from './closest.js';
import type { Report } from './problems.js';
import { entriesOf, entryAt, type MapEntry, type MapNode, mapOf, type SourceNode, textOf, valueAt } from './source-node.js';

/** Keys whose mappings are merged entry by entry; of any other key, the task's value takes the template's place. */
const MERGED_KEYS: readonly string[] = ['env', 'with', 'retries'];

/** A task that says how it does its work takes none of what the template says about another way. */
const OTHER_WORK: ReadonlyMap<string, readonly string[]> = new Map([
  ['run', ['uses', 'with']],
  ['uses', ['run', 'output']],
]);

/** Templates that build on one another; deeper than anybody reads. */
const MAX_CHAIN = 20;

/** The plan with every `template: name` of its tasks replaced by what the template says. Reports unknown names and circles. */
export function applyTemplates(root: MapNode, report: Report): MapNode {
  const templates = new Templates(root, report);
  const entries = new Map(root.entries);
  for (const section of ['tasks', 'finally']) {
    const entry = entries.get(section);
    if (entry?.value.kind !== 'map') continue;
    const tasks = new Map([...entry.value.entries].map(([name, task]) => [name, templates.appliedTo(task)]));
    entries.set(section, { key: entry.key, value: mapOf(tasks, entry.value) });
  }
  templates.resolveAll();
  return mapOf(entries, root);
}

class Templates {
  readonly #declared: ReadonlyMap<string, MapEntry>;
  readonly #report: Report;
  /** Templates with those that they build on laid under them; `open` while that is done. */
  readonly #resolved = new Map<string, MapNode | 'open' | undefined>();
  #open = 0;

  constructor(root: MapNode, report: Report) {
    this.#declared = new Map(entriesOf(valueAt(root, 'templates')));
    this.#report = report;
  }

  /** A task, or a template, with its template laid under it. */
  appliedTo(entry: MapEntry): MapEntry {
    const reference = valueAt(entry.value, 'template');
    const name = textOf(reference);
    if (entry.value.kind !== 'map' || reference === undefined || name === undefined) return entry;
    const template = this.#resolve(name, reference);
    return { key: entry.key, value: mapOf(laidOver(entry.value, template), entry.value) };
  }

  /** Resolves the templates that no task uses too, for the mistakes in them. */
  resolveAll(): void {
    for (const [name, entry] of this.#declared) this.#resolve(name, entry.value);
  }

  #resolve(name: string, reference: SourceNode): MapNode | undefined {
    const known = this.#resolved.get(name);
    if (known !== 'open' && this.#open >= MAX_CHAIN) {
      this.#report({ code: 'TEMPLATE', message: `more than ${MAX_CHAIN} templates build on one another here`, span: reference });
      return undefined;
    }
    if (known === 'open') {
      const hint = 'a template builds on another one, or on none';
      this.#report({ code: 'TEMPLATE', message: `template '${name}' builds on itself`, span: reference, hint });
      return undefined;
    }
    if (known !== undefined) return known;
    const entry = this.#declared.get(name);
    if (entry === undefined) {
      const all = this.#declared.size === 0 ? "declare it under 'templates'" : `the templates are ${namesOf(this.#declared)}`;
      const hint = didYouMean(name, this.#declared.keys()) ?? all;
      this.#report({ code: 'TEMPLATE', message: `there is no template '${name}'`, span: reference, hint });
      return undefined;
    }
    this.#resolved.set(name, 'open');
    this.#open += 1;
    const { value } = this.appliedTo(entry);
    this.#open -= 1;
    const resolved = value.kind === 'map' ? value : undefined;
    this.#resolved.set(name, resolved);
    return resolved;
  }
}

/** Names shown in a hint. */
const SHOWN_NAMES = 10;

function namesOf(declared: ReadonlyMap<string, unknown>): string {
  const names = [...declared.keys()];
  return `${names.slice(0, SHOWN_NAMES).join(', ')}${names.length > SHOWN_NAMES ? ', …' : ''}`;
}

function laidOver(task: MapNode, template: MapNode | undefined): ReadonlyMap<string, MapEntry> {
  const merged = new Map(template?.entries);
  for (const [key, others] of OTHER_WORK) {
    if (task.entries.has(key)) for (const other of others) if (!task.entries.has(other)) merged.delete(other);
  }
  for (const [key, entry] of task.entries) {
    const under = entryAt(template, key)?.value;
    const both = MERGED_KEYS.includes(key) && under?.kind === 'map' && entry.value.kind === 'map' && merged.has(key);
    merged.set(
      key,
      both ? { key: entry.key, value: mapOf(new Map([...entriesOf(under), ...entriesOf(entry.value)]), entry.value) } : entry,
    );
  }
  // What is left says that a template is missing, so that nobody asks for what it would have said.
  if (template !== undefined) merged.delete('template');
  return merged;
}
