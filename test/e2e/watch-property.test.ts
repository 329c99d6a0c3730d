import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { PATIENCE_MS } from '../support/processes.js';
import { checkpointsOf, repository, tempFolder, writeFiles } from '../support/repository.js';
import { type Watching, watching } from '../support/watching.js';

/** A subtask fails where its file says 'bad', and what needs all of them is skipped. */
const PLAN = (words: string) => `version: 1
name: x
backup: none
failure: { minor: 1%, major: 10%, critical: 90% }
defaults: { retries: { max: 0 } }
tasks:
  list: { run: "find src -name '*.txt' | sort", output: lines }
  upper:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    run: 'mkdir -p "out/$(dirname "$ITEM")"; ! grep -q bad "$ITEM" && tr a-z A-Z < "$ITEM" | tee "out/$ITEM"'
    inputs: ["\${{ item }}"]
    outputs: ["out/\${{ item }}"]
  joined:
    needs: [upper]
    run: [sh, -c, 'printf "%s" "$1" | tee joined.txt', sh, "\${{ tasks.upper.results.map(r, r == null ? '' : r.stdout).join('') }}"]
    inputs: []
    outputs: [joined.txt]
  sizes: { needs: [joined], run: 'cat "out/src/a.txt" joined.txt | wc -c', inputs: ["out/**", joined.txt] }
  last: { needs: [sizes], run: 'echo ${words}; wc -c < joined.txt' }
  words: { uses: ./words.mjs, inputs: [config.json] }
`;
const WORDS = (word: string) => `import { readFileSync } from 'node:fs';
export default () => readFileSync('config.json', 'utf8') + '${word}';`;
const FILES = {
  'plan.yaml': PLAN('one'),
  'words.mjs': WORDS('one'),
  'config.json': '{}',
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
  'src/c/c.txt': 'c\n',
};
const ARGS = ['plan.yaml', '--yes', '--overhead', '1ms', '-j', '2'];

type Edit = readonly [file: string, text: string | undefined];

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom('src/a.txt', 'src/b.txt', 'src/c/c.txt'), fc.constantFrom('x\n', 'yy\n', 'bad\n')),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('src/b.txt', 'src/new.txt'), fc.constantFrom('z\n', undefined)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('config.json'), fc.constantFrom('{"a":1}', '{}')) },
  { weight: 1, arbitrary: fc.constantFrom<Edit>(['words.mjs', WORDS('two')], ['plan.yaml', PLAN('two')]) },
);

function change(folder: string, [file, text]: Edit): void {
  if (text === undefined) rmSync(join(folder, file), { force: true });
  else writeFiles(folder, { [file]: text });
}

/** The last record of each subtask of the newest run: status and results, without the times. */
function outcomes(folder: string): Record<string, unknown> {
  const runs = readdirSync(join(folder, '.waveplan/runs')).sort();
  const found: Record<string, unknown> = {};
  for (const { task_id, status, results } of checkpointsOf(join(folder, '.waveplan/runs', runs.at(-1) ?? '')))
    found[task_id] = { status, results };
  return found;
}

async function cleanOutcomes(watched: string): Promise<Record<string, unknown>> {
  const clean = tempFolder();
  for (const name of ['plan.yaml', 'words.mjs', 'config.json', 'src'])
    cpSync(join(watched, name), join(clean, name), { recursive: true });
  await waveplan(['run', ...ARGS], { cwd: clean });
  return outcomes(clean);
}

/** Waits until the session has come to it: the system tells of changes when it likes. */
async function expectOutcomes(watch: Watching, folder: string, clean: Record<string, unknown>): Promise<void> {
  const own = () => {
    const all = outcomes(folder);
    return Object.fromEntries(Object.keys(clean).map((id) => [id, all[id]]));
  };
  const until = performance.now() + PATIENCE_MS;
  while (JSON.stringify(own()) !== JSON.stringify(clean) && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 25));
  expect(own(), watch.text()).toEqual(clean);
}

it('a session comes to what a clean run comes to, after any edits', async () => {
  const session = fc.array(fc.tuple(fc.array(edit, { minLength: 1, maxLength: 2 }), fc.boolean()), {
    minLength: 2,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(session, async (rounds) => {
      const folder = repository(FILES);
      const watch = watching(ARGS, folder);
      await watch.waitFor('Waiting for changes');
      for (const [edits, settle] of rounds) {
        for (const one of edits) change(folder, one);
        // Else the next edits come while these are answered.
        if (settle) await expectOutcomes(watch, folder, await cleanOutcomes(folder));
      }
      const clean = await cleanOutcomes(folder);
      await expectOutcomes(watch, folder, clean);
      watch.signal('SIGINT');
      expect(await watch.exit).toBe(130);
      // What was learned in the session holds for a run after it.
      const after = await waveplan(['run', ...ARGS], { cwd: folder });
      expect(outcomes(folder), after.text).toMatchObject(clean);
      expect(existsSync(join(folder, '.waveplan/lock'))).toBe(false);
      expect(readFileSync(join(folder, 'joined.txt'), 'utf8')).not.toBe('');
    }),
    { numRuns: 3 },
  );
});
