import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git, repository } from '../support/repository.js';
import { inTerminal } from '../support/terminal.js';

const PLAN = 'version: 1\nname: asked\ntasks: { a: { run: touch made } }\n';
const QUESTION = 'Ready to execute? (yes/no)';

describe('the question', () => {
  it('runs after a yes', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const terminal = inTerminal(['run', 'plan.yaml'], folder);
    await terminal.waitFor('TASK ANALYSIS COMPLETE');
    await terminal.waitFor(QUESTION);
    expect(existsSync(join(folder, '.waveplan'))).toBe(false);
    terminal.type('maybe\r');
    await terminal.waitFor("answer 'yes'");
    await terminal.waitFor(QUESTION);
    terminal.type('yes\r');
    await terminal.waitFor('PARALLEL EXECUTION COMPLETE');
    expect(await terminal.exit).toBe(0);
    expect(existsSync(join(folder, 'made'))).toBe(true);
  });

  it.each([
    ['no', 'no\r'],
    ['the end of input', '\u0004'],
    ['Ctrl-C', '\u0003'],
  ])('leaves everything as it is after %s', async (_, keys) => {
    const folder = repository({ 'plan.yaml': PLAN });
    const head = git(folder, 'rev-parse', 'HEAD');
    const terminal = inTerminal(['run', 'plan.yaml'], folder);
    await terminal.waitFor(QUESTION);
    terminal.type(keys);
    expect(await terminal.exit).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(['.git', 'plan.yaml']);
    expect(git(folder, 'rev-parse', 'HEAD')).toBe(head);
  });
});

describe('signals', () => {
  const SLOW = `version: 1
name: slow
backup: none
tasks:
  first: { run: 'touch started; while [ ! -e go ]; do sleep 0.02; done; touch ended' }
  next: { needs: [first], run: touch next }
finally: { clean: { run: touch cleaned } }
`;

  it('lets running work end after one Ctrl-C, starts nothing more, and reports', async () => {
    const folder = repository({ 'plan.yaml': SLOW });
    const terminal = inTerminal(['run', 'plan.yaml', '--yes'], folder);
    await terminal.waitFor('WAVE 1');
    await until(() => existsSync(join(folder, 'started')));
    terminal.type('\u0003');
    await terminal.waitFor('stopping');
    git(folder, '--version'); // Anything that takes a moment: the work must still be running.
    expect(existsSync(join(folder, 'ended'))).toBe(false);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(folder, 'go'), '');
    await terminal.waitFor('STOPPED');
    expect(await terminal.exit).toBe(130);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['ended', 'cleaned']));
    expect(existsSync(join(folder, 'next'))).toBe(false);
  });

  it('ends running work after a second Ctrl-C', async () => {
    const folder = repository({ 'plan.yaml': SLOW });
    const terminal = inTerminal(['run', 'plan.yaml', '--yes'], folder);
    await until(() => existsSync(join(folder, 'started')));
    terminal.type('\u0003');
    await terminal.waitFor('stopping');
    terminal.type('\u0003');
    expect(await terminal.exit).toBe(130);
    expect(existsSync(join(folder, 'ended'))).toBe(false);
    expect(existsSync(join(folder, 'cleaned'))).toBe(true);
  });
});

/** Waits for something that the command under test does. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
