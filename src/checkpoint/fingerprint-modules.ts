import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readTextForDisplay } from '../data/files.js';

/** A specifier in an import, a re-export, a dynamic import or a `require`, as long as it is a literal. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])(\.{1,2}\/[^'"\n]*)\1/g;

/** The relative paths that a module's text imports. Found by looking at the text, so that one in a comment counts as well. */
export function relativeImports(text: string): readonly string[] {
  return [...new Set([...text.matchAll(SPECIFIER)].map(([, , path]) => path ?? ''))];
}

const ENDINGS = ['', '.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'];

/**
 * A module's file and all that it imports by relative paths, direct and indirect. Packages, and paths that are computed, are
 * not followed.
 */
export function moduleFiles(file: string): readonly string[] {
  const files = new Set<string>();
  const open = [file];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (files.has(next)) continue;
    files.add(next);
    for (const path of relativeImports(textOf(next))) {
      const target = fileAt(resolve(dirname(next), path));
      if (target !== undefined) open.push(target);
    }
  }
  return [...files].sort();
}

/** Whether any of the files asks for results of other tasks by `context.results`, as far as its text shows. */
export function mayAskForResults(files: readonly string[]): boolean {
  return files.some((file) => /\bresults\b/.test(textOf(file)));
}

function fileAt(path: string): string | undefined {
  // In TypeScript, './a.js' may stand for './a.ts'.
  const bare = path.replace(/\.(m?)js$/, '');
  const asTypeScript = bare === path ? [] : [`${bare}.ts`, `${bare}.mts`];
  return [...ENDINGS.map((ending) => path + ending), ...asTypeScript].find(
    (candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true,
  );
}

function textOf(file: string): string {
  try {
    return readTextForDisplay(file);
  } catch {
    return '';
  }
}
