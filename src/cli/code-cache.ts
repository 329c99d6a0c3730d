import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import vm from 'node:vm';
import { readCache, writeCache } from './code-cache-files.js';

/*
 * Loads CommonJS files with the code that V8 compiled in an earlier run: parsing and compiling a megabyte of source takes
 * longer than a small run. Node's own `module.enableCompileCache` needs Node 22.
 */

type Require = (specifier: string) => unknown;
type Factory = (
  exports: unknown,
  require: Require,
  module: { exports: unknown },
  file: string,
  folder: string,
  importModule: (specifier: string) => Promise<unknown>,
) => void;

/** Smaller files compile faster than their cache is found. */
const LEAST_BYTES = 64 * 1024;

const modules = new Map<string, { exports: unknown }>();
/** Scripts without a usable cache, by the file that theirs would be kept for. */
const uncached = new Map<string, { readonly script: vm.Script; readonly source: Buffer }>();

/** The exports of a built file. Relative requires load the same way. */
export function requireBuilt(file: string): unknown {
  const known = modules.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(file, module);
  const source = readFileSync(file);
  const isLarge = source.length >= LEAST_BYTES;
  const cachedData = isLarge ? readCache(file, source) : undefined;
  // `$import` replaces `import()`, which a script from a cache cannot call.
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname, $import) {${source.toString('utf8')}\n})`,
    { filename: file, ...(cachedData && { cachedData }) },
  );
  if (isLarge && cachedData === undefined) uncached.set(file, { script, source });
  const folder = dirname(file);
  const outside = createRequire(file);
  const require: Require = (specifier) =>
    specifier.startsWith('.') ? requireBuilt(resolve(folder, specifier)) : outside(specifier);
  (script.runInThisContext() as Factory)(module.exports, require, module, file, folder, (specifier) => import(specifier));
  return module.exports;
}

/** Keeps the code of the loaded files that had no cache, with every function that was compiled so far. */
export function keepCompiledCode(): void {
  for (const [file, { script, source }] of uncached) writeCache(file, source, () => script.createCachedData());
  uncached.clear();
}
