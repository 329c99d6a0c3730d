#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepCompiledCode, requireBuilt } from './code-cache.js';

/*
 * Loads the command line, and does nothing else: a system that refuses to open that many files is told of here, in words,
 * because nothing of ours that could say more was loaded.
 */
process.on('uncaughtException', (error) => {
  // A thread or a process that could not be made in the background, as by Piscina.
  if (!refusedBySystem(error)) throw error;
  process.exit(3);
});
try {
  // Under --preserve-symlinks-main this file goes by the name of the link that npm makes for it.
  const program = requireBuilt(join(realpathSync(fileURLToPath(import.meta.url)), '../program.cjs'));
  await (program as typeof import('./program.js')).main(process.argv, keepCompiledCode);
} catch (error) {
  if (!refusedBySystem(error)) throw error;
  process.exitCode = 3;
}

/** Whether the system has no room for what was asked of it; says so then. */
function refusedBySystem(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM', 'ERR_WORKER_INIT_FAILED'].includes(code)) return false;
  process.stderr.write(`waveplan: cannot start: ${code}\n  raise the limits of this shell (ulimit -n, ulimit -u, ulimit -v)\n`);
  return true;
}
