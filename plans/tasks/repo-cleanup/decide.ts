import type { InspectedFile } from './inspect.ts';
import { resolved } from './module-shape.ts';

/** What is to be done in one module. */
export interface ModuleWork {
  readonly file: string;
  /** Imported files that go, and what is imported instead. */
  readonly instead: Readonly<Record<string, string>>;
  readonly unusedExports: readonly string[];
}

/**
 * Decides what to clean, with the whole repository in view. In doubt nothing is removed: an empty module that somebody
 * imports stays, equal modules whose imports mean different files are no duplicates, and tests and entry points export
 * for others.
 */
export default function decide({ inspected }: { inspected: readonly { readonly files: readonly InspectedFile[] }[] }) {
  const files = inspected.flatMap((batch) => batch.files);
  const imported = new Set(files.flatMap(({ shape }) => shape?.imports.flatMap(({ file }) => file ?? []) ?? []));
  const empty = files.filter((one) => one.empty && !imported.has(one.file)).map(({ file }) => file);
  const duplicates = duplicatesOf(files.filter((one) => !one.empty));
  const gone = new Set([...empty, ...duplicates.keys()]);
  const kept = files.filter(({ file }) => !gone.has(file));
  const used = usedExports(kept, duplicates);
  const modules = kept.flatMap(({ file, shape }): readonly ModuleWork[] => {
    if (shape === null) return [];
    const taken = used.get(file);
    const unusedExports =
      isForOthers(file) || taken?.all === true ? [] : shape.exports.filter((name) => taken?.names.has(name) !== true);
    const instead = Object.fromEntries(
      shape.imports.flatMap((one) => {
        const other = one.file === undefined ? undefined : duplicates.get(one.file);
        return one.file === undefined || other === undefined ? [] : [[one.file, other]];
      }),
    );
    return [{ file, instead, unusedExports }];
  });
  return {
    modules,
    remove: [...gone].sort(),
    texts: kept.filter(({ binary, empty: blank }) => !binary && !blank).map(({ file }) => file),
    tests: kept.map(({ file }) => file).filter(isTest),
    counts: {
      files: files.length,
      empty: empty.length,
      duplicates: duplicates.size,
      unusedExports: modules.reduce((sum, one) => sum + one.unusedExports.length, 0),
    },
  };
}

/** Each file that has a twin, with the twin that stays: the one with the shortest path, then the first by name. */
function duplicatesOf(files: readonly InspectedFile[]): ReadonlyMap<string, string> {
  const groups = new Map<string, string[]>();
  for (const { sha256, file, shape } of files) {
    if (isTest(file)) continue;
    const meant = shape?.imports.map(({ specifier }) => resolved(file, specifier) ?? specifier) ?? [];
    const key = JSON.stringify([sha256, meant]);
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  const duplicates = new Map<string, string>();
  for (const group of groups.values()) {
    const [first, ...others] = group.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    for (const other of others) duplicates.set(other, first ?? other);
  }
  return duplicates;
}

interface Taken {
  readonly names: Set<string>;
  all: boolean;
}

/** What others take of each file, once duplicates are gone. */
function usedExports(files: readonly InspectedFile[], duplicates: ReadonlyMap<string, string>): ReadonlyMap<string, Taken> {
  const used = new Map<string, Taken>();
  for (const { shape } of files) {
    for (const { file, names, all } of shape?.imports ?? []) {
      if (file === undefined) continue;
      const meant = duplicates.get(file) ?? file;
      const taken = used.get(meant) ?? { names: new Set(), all: false };
      for (const name of names) taken.names.add(name);
      taken.all ||= all;
      used.set(meant, taken);
    }
  }
  return used;
}

function isTest(file: string): boolean {
  return /\.test\.m?js$/.test(file);
}

/** Somebody outside the repository may import it, or run it. */
function isForOthers(file: string): boolean {
  return isTest(file) || /(^|\/)(index|main)\.m?js$/.test(file) || !file.startsWith('src/');
}
