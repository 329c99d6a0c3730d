// Bundles src/ to dist/: the command line starts in a fraction of the time that a file for each idea takes to load.
// Every file lands two folders deep, so that paths relative to the package hold in each of them.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { rolldown } from 'rolldown';

/** The files that are loaded with these, by imports that are not dynamic. */
function loadedWith(...entries) {
  const found = new Set();
  const open = entries.map((entry) => resolve(entry));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?!type\s)[^;]*?from '(\.[^']+)';/gms))
      open.push(resolve(dirname(file), path.replace(/\.js$/, '.ts')));
  }
  return found;
}

// A file is a look-up, a read and a compilation: what a run and what a thread always load is one file each.
const thread = loadedWith('src/worker/host.ts');
const run = loadedWith('src/cli/program.ts', 'src/cli/run.ts', 'src/cli/show-run.ts');

const bundle = await rolldown({
  input: {
    'cli/main': 'src/cli/main.ts',
    'worker/host': 'src/worker/host.ts',
    'measure/noop': 'src/measure/noop.ts',
    'measure/quick': 'src/measure/quick.ts',
    'scaling/machine': 'src/scaling/machine.ts',
    'lib/index': 'src/index.ts',
  },
  platform: 'node',
  // What starts threads or loads modules by itself, and what is large and seldom needed, stays where npm puts it.
  external: ['piscina', 'jiti', 'simple-git', 'tinybench'],
  onLog(level, log, log2) {
    // A module that one verb loads late and another at once is in the file that both load.
    if (log.code === 'INEFFECTIVE_DYNAMIC_IMPORT') return;
    if (level === 'warn') throw new Error(log.message);
    log2(level, log);
  },
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  codeSplitting: {
    groups: [
      { name: 'thread', test: (id) => thread.has(id), priority: 2 },
      { name: 'run', test: (id) => run.has(id) || /node_modules\/(yaml|commander|picocolors)\//.test(id), priority: 1 },
    ],
  },
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk/[name]-[hash].js',
  sourcemap: true,
  minify: { compress: true, mangle: false },
});
await bundle.close();
