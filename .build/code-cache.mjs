// Runs the command line once on a small plan, and keeps what V8 made of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledCode, requireBuilt } from '../dist/cli/code-cache.js';

const folder = mkdtempSync(join(tmpdir(), 'waveplan-build-'));
try {
  writeFileSync(join(folder, 'plan.yaml'), 'version: 1\nname: build\nbackup: none\ntasks:\n  a: { run: "true" }\n');
  const { main } = requireBuilt(fileURLToPath(new URL('../dist/cli/program.cjs', import.meta.url)));
  await main(['node', 'waveplan', 'run', join(folder, 'plan.yaml'), '--yes', '--quiet']);
  if (process.exitCode) throw new Error(`the plan of the build ended with ${process.exitCode}`);
  for (const { file, data } of compiledCode()) writeFileSync(file, data);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
