import { expect } from 'vitest';
import { type CliResult, waveplan } from './cli.js';

/** Runs the command until its quick calibration found the time that it needs: a busy machine may deny it, and is told so. */
export async function calibrated(args: readonly string[], cwd: string): Promise<CliResult> {
  for (let tries = 0; tries < 10; tries++) {
    const done = await waveplan(args, { cwd });
    expect(done.code, done.text).toBe(0);
    if (/^Calibrated in \d+ ms/.test(done.stdout)) return done;
    expect(done.stdout).toMatch(/^This machine's overhead could not be measured/);
  }
  throw new Error('no calibration in ten tries');
}
