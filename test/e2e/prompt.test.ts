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

describe('the conversation', () => {
  const TALK = `version: 1
name: talk
backup: none
tasks:
  scan: { phase: Analysis, run: 'true', estimate: 10ms }
  each: { phase: Work, needs: [scan], foreach: [1, 2, 3, 4, 5, 6], run: 'touch "made-$ITEM"', estimate: 2s }
  last: { needs: [each], run: 'true', estimate: 10ms }
`;

  it('answers, changes the plan, shows it again, and runs what was confirmed', async () => {
    const folder = repository({ 'plan.yaml': TALK });
    const terminal = inTerminal(['run', 'plan.yaml', '--overhead', '3ms'], folder);
    const say = async (line: string, ...answers: readonly string[]) => {
      await terminal.waitFor(QUESTION);
      terminal.type(`${line}\r`);
      for (const answer of answers) await terminal.waitFor(answer);
    };
    await say('help', 'what-if', 'sync wave|eager');
    await say('why', 'WHY 6 AGENTS', '1. Asked for: no number', '4. The formula says 6 agents', 'So 6 agents');
    await say('waves', 'Wave 2: Work', 'each (6 subtasks), after scan', 'Wave 3: last');
    await say('task each', 'TASK each', 'Needs: scan', 'Needed by: last', 'For each: of a list of 6', 'Estimate: 2 s a subtask');
    await say('task eahc', "did you mean 'each'?");
    await say('what-if', 'Predicted time', 'the decided count');
    await say('agents 3', 'TASK ANALYSIS COMPLETE', 'User Override', 'TOTAL AGENTS: 3');
    await say('agents none', 'is not a number of agents');
    await say('backup ref', 'TASK ANALYSIS COMPLETE', 'under a ref');
    await say('sync eager', 'TASK ANALYSIS COMPLETE', 'as soon as its own needs are done');
    // Key by key: a line that is pasted is not completed.
    await terminal.waitFor(QUESTION);
    for (const [keys, shown] of [
      ['ta', 'ta'],
      ['\t', 'sk'],
      [' l', ' l'],
      ['\t', 'ast'],
    ] as const) {
      terminal.type(keys);
      await terminal.waitFor(shown);
    }
    terminal.type('\r');
    await terminal.waitFor('TASK last');
    expect(readdirSync(folder).sort()).toEqual(['.git', 'plan.yaml']);
    await say('yes', 'Agents: 3', 'PARALLEL EXECUTION COMPLETE');
    expect(await terminal.exit).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('made-'))).toHaveLength(6);
    expect(git(folder, 'for-each-ref', 'refs/waveplan')).toContain('refs/waveplan/backups/');
  });

  it('takes lines that were typed ahead, in order', async () => {
    const folder = repository({ 'plan.yaml': TALK });
    const terminal = inTerminal(['run', 'plan.yaml', '--overhead', '3ms'], folder);
    terminal.type('agents 2\rno\r');
    await terminal.waitFor('TOTAL AGENTS: 2');
    expect(await terminal.exit).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(['.git', 'plan.yaml']);
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
