// Bundles src/ to dist/: the command line starts in a fraction of the time that a file for each idea takes to load.
// Every file lands two folders deep, so that paths relative to the package hold in each of them.
import { rolldown } from 'rolldown';

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
    if (level === 'warn') throw new Error(log.message);
    log2(level, log);
  },
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk/[name]-[hash].js',
  sourcemap: true,
  minify: { compress: true, mangle: false },
});
await bundle.close();
