import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CliResult, waveplan } from '../support/cli.js';
import { checkpointsOf, repository, writeFiles } from '../support/repository.js';

/** Each subtask leaves a line in `ran` when it runs. */
const PLAN = `version: 1
name: x
backup: none
params: { level: { default: low } }
tasks:
  list: { run: [find, src, -name, "*.txt"], output: lines }
  upper:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    run: echo "upper $ITEM" >> ran; mkdir -p "out/$(dirname "$ITEM")"; tr a-z A-Z < "$ITEM" | tee "out/$ITEM"
    inputs: ["\${{ item }}"]
    outputs: ["out/\${{ item }}"]
  join:
    needs: [upper]
    run: [sh, -c, 'echo join >> ran; printf "%s" "$1"', sh, "\${{ tasks.upper.results.map(r, r.stdout).join('') }}"]
    inputs: []
  words: { uses: ./words.mjs, inputs: [config.json] }
  always: { run: echo always >> ran }
`;
const FILES = {
  'plan.yaml': PLAN,
  'src/a.txt': 'a\n',
  'src/b[1].txt': 'b\n',
  'config.json': '{}',
  'words.mjs':
    "import { word } from './word.mjs';\nimport { appendFileSync } from 'node:fs';\nexport default () => { appendFileSync('ran', 'words\\n'); return word; };",
  'word.mjs': "export const word = 'one';",
};

async function run(folder: string, ...args: readonly string[]): Promise<{ readonly done: CliResult; readonly ran: string[] }> {
  rmSync(join(folder, 'ran'), { force: true });
  const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '1ms', '-j', '1', ...args], { cwd: folder });
  return { done, ran: readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n').sort() };
}

function results(folder: string): unknown {
  const runs = readdirSync(join(folder, '.waveplan', 'runs')).sort();
  const last = checkpointsOf(join(folder, '.waveplan', 'runs', runs.at(-1) ?? ''));
  const listed = last.find(({ task_id }) => task_id === 'list')?.results as { readonly stdout: readonly string[] };
  // The position of a file in the list is of no account, its results are.
  return last
    .map(({ task_id, results: one, status }) => {
      const index = /\[(\d+)\]/.exec(task_id)?.[1];
      return [index === undefined ? task_id : listed.stdout[Number(index)], status, one];
    })
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

describe('what is up to date', () => {
  it('is not run again, subtask by subtask, and explain says why', async () => {
    const folder = repository(FILES);
    expect((await run(folder)).ran).toEqual(['always', 'join', 'upper src/a.txt', 'upper src/b[1].txt', 'words']);
    const before = results(folder);

    const again = await run(folder);
    expect(again.done.code, again.done.text).toBe(0);
    expect(again.ran).toEqual(['always']);
    expect(again.done.text).toContain('Up to date, and not run: 4 subtasks');
    expect(results(folder)).toMatchObject(before as object);

    writeFiles(folder, { 'src/b[1].txt': 'c\n' });
    const explained = await waveplan(['explain', 'upper'], { cwd: folder });
    expect(explained.stdout).toContain('In a new run it runs 1 of 2 subtasks, such as upper[');
    expect(explained.stdout).toContain(']: src/b[1].txt changed.');
    expect((await run(folder)).ran).toEqual(['always', 'join', 'upper src/b[1].txt']);

    writeFiles(folder, { 'out/src/a.txt': 'spoilt', 'word.mjs': "export const word = 'two';" });
    expect((await waveplan(['explain', 'upper'], { cwd: folder })).stdout).toContain(
      'its output out/src/a.txt is not what it wrote',
    );
    // Its results are the same as before, so that nothing changes for what reads them.
    expect((await run(folder)).ran).toEqual(['always', 'upper src/a.txt', 'words']);
    expect(readFileSync(join(folder, 'out/src/a.txt'), 'utf8')).toBe('A\n');
    expect((await waveplan(['explain', 'words'], { cwd: folder })).stdout).toContain(
      'In a new run it does not run: it is up to date.',
    );

    expect((await run(folder, '--force')).ran).toEqual(['always', 'join', 'upper src/a.txt', 'upper src/b[1].txt', 'words']);
    expect((await run(folder, '--param', 'level=high')).ran).toEqual(['always', 'join', 'upper src/a.txt', 'upper src/b[1].txt']);
  });

  it('never is what failed', async () => {
    const plan = `version: 1\nname: x\nbackup: none\ntasks:\n  t: { run: "echo t >> ran; test -e ok", inputs: [] }\n`;
    const folder = repository({ 'plan.yaml': plan });
    expect((await run(folder)).done.code).toBe(1);
    const explained = await waveplan(['explain', 't'], { cwd: folder });
    expect(explained.stdout).toContain('In a new run it runs: it has not succeeded before, or failed since.');
    writeFiles(folder, { ok: '' });
    expect((await run(folder)).done.code).toBe(0);
    rmSync(join(folder, 'ok'));
    rmSync(join(folder, 'ran'));
    const skipped = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(skipped.code, skipped.text).toBe(0);
    expect(skipped.text).toContain('Up to date, and not run: 1 subtask');
  });

  it('leaves the same results as a clean run, after any edits', async () => {
    const file = fc.constantFrom('src/a.txt', 'src/b[1].txt', 'src/deep/c.txt', 'config.json', 'word.mjs', 'out/src/a.txt');
    const edit = fc.tuple(file, fc.constantFrom('one', 'two', undefined));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
        async (rounds) => {
          const folder = repository(FILES);
          await run(folder);
          for (const round of rounds) {
            for (const [name, text] of round) {
              if (text !== undefined)
                writeFiles(folder, { [name]: name === 'word.mjs' ? `export const word = '${text}';` : text });
              else if (name !== 'word.mjs') rmSync(join(folder, name), { force: true });
            }
            const { done } = await run(folder);
            expect(done.code, done.text).toBe(0);
          }
          const incremental = comparable(results(folder));
          await run(folder, '--force');
          expect(incremental).toEqual(comparable(results(folder)));
        },
      ),
      { numRuns: 4 },
    );
  });
});

/** Without what differs from run to run by itself. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
