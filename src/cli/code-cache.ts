import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import vm from 'node:vm';

/*
 * Loads CommonJS files with the code that V8 made of them when they were built: to parse and compile a megabyte of source
 * again takes longer than a small run. Where the cache was made by another Node, V8 refuses it, and compiles as ever.
 * (Node 22 has `module.enableCompileCache`, which writes to a folder of the user's; this writes nothing.)
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

const modules = new Map<string, { exports: unknown }>();
const scripts = new Map<string, vm.Script>();

/** The exports of a built file; what it requires by relative path is loaded the same way. */
export function requireBuilt(file: string): unknown {
  const known = modules.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(file, module);
  const cachedData = readOrNothing(cacheFile(file));
  // `$import` stands for `import()`, which is for modules: a script that comes from a cache cannot import.
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname, $import) {${readFileSync(file, 'utf8')}\n})`,
    {
      filename: file,
      ...(cachedData && { cachedData }),
    },
  );
  scripts.set(file, script);
  const folder = dirname(file);
  const outside = createRequire(file);
  const require: Require = (specifier) =>
    specifier.startsWith('.') ? requireBuilt(resolve(folder, specifier)) : outside(specifier);
  (script.runInThisContext() as Factory)(module.exports, require, module, file, folder, (specifier) => import(specifier));
  return module.exports;
}

/** For the build: what V8 has made by now of each file that was loaded, and where it belongs. */
export function compiledCode(): readonly { readonly file: string; readonly data: Buffer }[] {
  return [...scripts].map(([file, script]) => ({ file: cacheFile(file), data: script.createCachedData() }));
}

function cacheFile(file: string): string {
  return `${file}.cache`;
}

function readOrNothing(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
