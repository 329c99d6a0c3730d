#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { requireBuilt } from './code-cache.js';

/*
 * Loads the command line, and does nothing else: a system that refuses to open that many files is told of here, in words,
 * because nothing of ours that could say more was loaded.
 */
try {
  const program = requireBuilt(fileURLToPath(new URL('./program.cjs', import.meta.url)));
  await (program as typeof import('./program.js')).main(process.argv);
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'].includes(code)) throw error;
  process.stderr.write(`waveplan: cannot start: ${code}\n  raise the limits of this shell (ulimit -n, ulimit -u, ulimit -v)\n`);
  process.exitCode = 3;
}
