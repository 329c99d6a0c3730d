// Bundles src/ to dist/: the command line starts in a fraction of the time that a file for each idea takes to load.
// Every file lands two folders deep, so that paths relative to the package hold in each of them.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { rolldown } from 'rolldown';

// What starts threads or loads modules by itself, and what is large and seldom needed, stays where npm puts it.
const external = ['piscina', 'jiti', 'simple-git', 'tinybench', 'bullmq', 'ioredis'];

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

function onLog(level, log, log2) {
  // A module that one verb loads late and another at once is in the file that both load.
  if (log.code === 'INEFFECTIVE_DYNAMIC_IMPORT') return;
  if (level === 'warn') throw new Error(log.message);
  log2(level, log);
}

/** A file is a look-up, a read and a compilation: what is always loaded together is one file. */
function together(name, files, more = /^$/) {
  return { groups: [{ name, test: (id) => files.has(id) || more.test(id) }] };
}

async function build(input, output) {
  const bundle = await rolldown({ input, platform: 'node', external, onLog });
  const written = await bundle.write({ dir: 'dist', sourcemap: true, minify: { compress: true, mangle: false }, ...output });
  await bundle.close();
  return written.output;
}

// The library, and the few lines that load the command line.
await build(
  {
    'cli/main': 'src/cli/main.ts',
    'measure/noop': 'src/measure/noop.ts',
    'measure/quick': 'src/measure/quick.ts',
    'scaling/machine': 'src/scaling/machine.ts',
    'lib/index': 'src/index.ts',
  },
  {
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk/[name]-[hash].js',
  },
);

// What a thread starts with, as CommonJS: it is there in four fifths of the time that an ES module takes.
await build(
  { 'worker/host': 'src/worker/host.ts' },
  {
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'thread/[name]-[hash].cjs',
    codeSplitting: together('host', loadedWith('src/worker/host.ts')),
  },
);

// The command line itself, as CommonJS: V8's compiled code can be kept between runs (src/cli/code-cache.ts). A script that
// comes from such a cache cannot import modules, so its loader does that.
const parts = await build(
  { 'cli/program': 'src/cli/program.ts' },
  {
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'part/[name]-[hash].cjs',
    codeSplitting: together(
      'run',
      loadedWith('src/cli/program.ts', 'src/cli/run.ts', 'src/cli/show-run.ts'),
      /node_modules\/(yaml|commander|picocolors)\//,
    ),
  },
);
for (const { fileName, type, code } of parts) {
  if (type === 'chunk')
    writeFileSync(
      `dist/${fileName}`,
      code.replace(/(?<![.\w$])import\(/g, () => '$import('),
    );
}
