import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { cpuSecondsWithChildren, totalCpuSeconds } from '../../../src/execute/cpu-time.js';

it.runIf(process.platform === 'linux')('counts what a child has waited for while that child lives on', async () => {
  const burn = 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done';
  const before = { all: cpuSecondsWithChildren(), own: totalCpuSeconds() };
  const shell = spawn('sh', ['-c', `sh -c '${burn}'; echo done; read line`], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(shell.stdout, 'data');
  const [all, own] = [cpuSecondsWithChildren() - before.all, totalCpuSeconds() - before.own];
  // A fast machine needs some hundredths of a second, and the system counts in hundredths.
  expect(all - own).toBeGreaterThanOrEqual(0.02);
  shell.stdin.end('\n');
  await once(shell, 'close');
  expect(totalCpuSeconds() - before.own).toBeGreaterThanOrEqual(all - own);
});
