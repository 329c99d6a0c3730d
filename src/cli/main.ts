#!/usr/bin/env node
/*
 * Loads the command line, and does nothing else: a system that refuses to open that many files is told of here, in words,
 * because nothing of ours that could say more was loaded.
 */
try {
  const { main } = await import('./program.js');
  await main(process.argv);
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'].includes(code)) throw error;
  process.stderr.write(`waveplan: cannot start: ${code}\n  raise the limits of this shell (ulimit -n, ulimit -u, ulimit -v)\n`);
  process.exitCode = 3;
}
