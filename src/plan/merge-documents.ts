import type { Report } from './problems.js';
import {
  entriesOf,
  entryAt,
  itemsOf,
  listOf,
  type MapEntry,
  type MapNode,
  mapOf,
  type SourceNode,
  valueAt,
} from './source-node.js';
import type { SourceTexts } from './source-texts.js';

/** What a plan shares with the files that it includes, and how messages name one entry. */
const SHARED: ReadonlyMap<string, string> = new Map([
  ['params', 'param'],
  ['templates', 'template'],
  ['tasks', 'task'],
  ['finally', "task under 'finally'"],
]);

/**
 * One document of many: the last, with the params, templates, tasks, `finally` tasks and secrets of those before it
 * ahead of its own. A name that two of them give is reported with both places; the first one stays.
 */
export function mergeDocuments(roots: readonly MapNode[], sources: SourceTexts, report: Report): MapNode | undefined {
  const main = roots.at(-1);
  if (main === undefined || roots.length === 1) return main;
  const entries = new Map(main.entries);
  for (const [section, word] of SHARED) {
    const merged = mergeSection(roots, { section, word, sources, report });
    if (merged !== undefined) entries.set(section, merged);
  }
  const secrets = mergeSecrets(roots);
  if (secrets !== undefined) entries.set('secrets', secrets);
  return mapOf(entries, main);
}

function mergeSection(
  roots: readonly MapNode[],
  {
    section,
    word,
    sources,
    report,
  }: { readonly section: string; readonly word: string } & {
    readonly sources: SourceTexts;
    readonly report: Report;
  },
): MapEntry | undefined {
  const merged = new Map<string, MapEntry>();
  let key: MapEntry['key'] | undefined;
  let node: SourceNode | undefined;
  for (const root of roots) {
    const found = entryAt(root, section);
    if (found?.value.kind !== 'map') continue;
    key = found.key;
    node = found.value;
    for (const [name, entry] of entriesOf(found.value)) {
      const before = merged.get(name);
      if (before === undefined) {
        merged.set(name, entry);
        continue;
      }
      const other = sources.at(before.key.start).displayName;
      const related = [{ message: `'${name}' was given here first`, span: before.key }];
      const message = `there is a ${word} '${name}' already, in ${other}`;
      report({ code: 'NAME', message, span: entry.key, hint: 'give one of the two another name', related });
    }
  }
  // The plan's own place, where it has the section: the last one.
  return key === undefined || node === undefined ? undefined : { key, value: mapOf(merged, node) };
}

/** A file that needs a secret says so; the plan has the secrets of all. */
function mergeSecrets(roots: readonly MapNode[]): MapEntry | undefined {
  const found = roots.flatMap((root) => entryAt(root, 'secrets') ?? []);
  const last = found.at(-1);
  if (last === undefined) return undefined;
  return {
    key: last.key,
    value: listOf(
      roots.flatMap((root) => itemsOf(valueAt(root, 'secrets'))),
      last.value,
    ),
  };
}
