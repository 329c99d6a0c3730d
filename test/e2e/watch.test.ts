import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { git, repository, writeFiles } from '../support/repository.js';
import { inTerminal } from '../support/terminal.js';
import { watching } from '../support/watching.js';

/** Each subtask leaves a line in `.git/ran` when it runs. */
const PLAN = `version: 1
name: x
backup: ref
tasks:
  list: { run: "find src -name '*.txt' | sort", output: lines, inputs: ["src/**"] }
  upper:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    run: echo "upper $ITEM" >> .git/ran; mkdir -p "out/$(dirname "$ITEM")"; tr a-z A-Z < "$ITEM" > "out/$ITEM"
    inputs: ["\${{ item }}"]
    outputs: ["out/\${{ item }}"]
  words: { needs: [list], uses: ./words.mjs, inputs: [] }
  after: { needs: [upper], run: echo after >> .git/ran }
`;
const FILES = {
  'plan.yaml': PLAN,
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
  'words.mjs':
    "import { word } from './word.mjs';\nimport { appendFileSync } from 'node:fs';\nexport default () => appendFileSync('.git/ran', word);",
  'word.mjs': "export const word = 'words one\\n';",
};
const ARGS = ['plan.yaml', '--yes', '--overhead', '1ms', '-j', '1'];

describe('watch', () => {
  it('runs what is affected by each change, and ends with 130', async () => {
    const folder = repository(FILES);
    // Of one change the system may tell twice, and what runs then starts anew: what ran counts, not how often.
    const ran = () => {
      const lines = new Set(readFileSync(join(folder, '.git/ran'), 'utf8').trim().split('\n'));
      rmSync(join(folder, '.git/ran'));
      return [...lines].sort();
    };
    const watch = watching(ARGS, folder);
    expect(await watch.waitFor('Waiting for changes')).toContain('it holds for all rounds of this session');
    expect(ran()).toEqual(['after', 'upper src/a.txt', 'upper src/b.txt', 'words one']);

    writeFiles(folder, { 'src/a.txt': 'x\n' });
    expect(await watch.waitFor('Waiting for changes')).toContain('Round 2: src/a.txt changed');
    expect(ran()).toEqual(['after', 'upper src/a.txt']);
    expect(readFileSync(join(folder, 'out/src/a.txt'), 'utf8')).toBe('X\n');

    // An editor that saves by rename.
    writeFileSync(join(folder, 'src/.b.swp'), 'y\n');
    renameSync(join(folder, 'src/.b.swp'), join(folder, 'src/b.txt'));
    await watch.waitFor('Waiting for changes');
    expect(ran()).toEqual(['after', 'upper src/b.txt']);

    writeFiles(folder, { 'word.mjs': "export const word = 'words two\\n';" });
    await watch.waitFor('Waiting for changes');
    expect(ran()).toEqual(['words two']);

    renameSync(join(folder, 'src/b.txt'), join(folder, 'src/c.txt'));
    await watch.waitFor('Waiting for changes');
    expect(ran()).toEqual(['after', 'upper src/c.txt']);

    writeFiles(folder, { 'plan.yaml': PLAN.replace('needs: [list]', 'needs: [lost]') });
    expect(await watch.waitFor('nothing runs until it is changed again')).toContain('PLAN-NEEDS');
    writeFiles(folder, { 'plan.yaml': PLAN.replace('after >>', 'later >>') });
    await watch.waitFor(' done: 1 ran');
    expect(ran()).toEqual(['later']);

    watch.signal('SIGINT');
    expect(await watch.exit).toBe(130);
    const restored = await waveplan(['restore', '--dry-run'], { cwd: folder });
    expect(restored.code, restored.text).toBe(0);
  });

  it('takes a branch switch for one change, or few where the system tells of it late', async () => {
    const many = (text: string) => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`src/${i}.txt`, `${text}\n`]));
    const plan = 'version: 1\nname: x\nbackup: none\ntasks:\n  t: { run: cat src/*.txt | sort -u, inputs: ["src/*.txt"] }\n';
    const folder = repository({ 'plan.yaml': plan, '.gitignore': '.waveplan\n', ...many('one') });
    git(folder, 'checkout', '-q', '-b', 'other');
    writeFiles(folder, many('two'));
    git(folder, 'commit', '-qam', 'Two');
    const watch = watching(ARGS, folder);
    await watch.waitFor('Waiting for changes');
    git(folder, 'checkout', '-q', 'main');
    expect(await watch.waitFor('Waiting for changes')).toMatch(/Round \d+: src\/\d+\.txt and \d+ more files? changed/);
    watch.signal('SIGTERM');
    expect(await watch.exit).toBe(143);
    const rounds = [...watch.text().matchAll(/^Round (\d+):/gm)].map(([, round]) => Number(round));
    expect(rounds.at(-1), watch.text()).toBeLessThanOrEqual(10);
  });

  it('cancels what a change makes out of date, and starts it again', async () => {
    const plan = `version: 1\nname: x\nbackup: none\ntasks:\n  t: { run: "cat a; test \\"$(cat a)\\" = go || { touch .git/began; exec sleep 1000; }", inputs: [a] }\n`;
    const folder = repository({ 'plan.yaml': plan, a: 'wait' });
    const watch = watching(ARGS, folder);
    await watch.waitFor('Round 1');
    for (;;) {
      try {
        readFileSync(join(folder, '.git/began'));
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    writeFiles(folder, { a: 'go' });
    await watch.waitFor('Round 1 was stopped');
    expect(await watch.waitFor('Waiting for changes')).toMatch(/Round \d+ done: 1 ran, 0 failed/);
    watch.signal('SIGINT');
    expect(await watch.exit).toBe(130);
  });

  it('stops a plan that feeds itself, and names the cycle', async () => {
    const plan = `version: 1\nname: x\nbackup: none\ntasks:\n  t: { run: "date +%N >> log", inputs: [log] }\n`;
    const folder = repository({ 'plan.yaml': plan, log: '' });
    const watch = watching(ARGS, folder);
    const text = await watch.waitFor('The plan feeds itself: stopped after 3 rounds');
    expect(text).toContain('Cycle: t reads log, and a run of the plan writes it again');
    watch.signal('SIGINT');
    expect(await watch.exit).toBe(130);
  });

  it('takes keys on a terminal', async () => {
    const plan = 'version: 1\nname: x\nbackup: none\ntasks:\n  t: { run: echo, inputs: [] }\n';
    const folder = repository({ 'plan.yaml': plan });
    const terminal = inTerminal(['watch', ...ARGS], folder);
    await terminal.waitFor('Keys: r run everything again');
    await terminal.waitFor('Waiting for changes');
    terminal.type('f');
    await terminal.waitFor('0 ran, 0 failed, 1 up to date');
    await terminal.waitFor('Waiting for changes');
    terminal.type('r');
    await terminal.waitFor('1 ran, 0 failed, 0 up to date');
    await terminal.waitFor('Waiting for changes');
    terminal.type('p');
    await terminal.waitFor('TASK ANALYSIS COMPLETE');
    terminal.type('q');
    expect(await terminal.exit).toBe(0);
  });

  it('asks for --yes where nobody can be asked', async () => {
    const folder = repository(FILES);
    const done = await waveplan(['watch', 'plan.yaml'], { cwd: folder });
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  });
});
