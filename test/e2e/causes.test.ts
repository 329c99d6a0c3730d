import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { linesOf } from '../support/processes.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

interface Report {
  readonly failures: readonly { readonly kind: string; readonly message: string; readonly count: number }[];
  readonly assessments: readonly { readonly diagnosis: { readonly kind: string; readonly causes?: number } }[];
}

async function runFailing(files: Readonly<Record<string, string>>): Promise<{ folder: string; report: Report }> {
  const folder = tempFolder();
  writeFiles(folder, files);
  const { code, text } = await waveplan(['run', 'plan.yaml', '-y', '-k', '-j', '2', '--overhead', '1ms'], { cwd: folder });
  expect(code, text).toBe(1);
  return { folder, report: JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8')) as Report };
}

const NODE = process.execPath;

describe('the cause of a failure', () => {
  it('is what the program says of its error, and retries look at all that it printed', async () => {
    const { folder } = await runFailing({
      'plan.yaml': `version: 1
name: causes
backup: none
defaults: { retries: { max: 0 } }
tasks:
  crash: { run: '"${NODE}" crash.mjs' }
  refused: { run: 'echo x >> refused; "${NODE}" crash.mjs', retries: { max: 1, backoff: 0s, on: ["/ECONN(RESET|REFUSED)/"] } }
  printed: { run: 'echo x >> printed; echo "E_BUSY"; echo "gave up" >&2; exit 1', retries: { max: 1, backoff: 0s, on: [E_BUSY] } }
  lines: { run: 'echo x >> lines; echo "E_BUSY"; exit 1', output: lines, retries: { max: 1, backoff: 0s, on: ["/^E_BUSY$/m"] } }
  module: { uses: ./module.mjs, retries: { max: 1, backoff: 0s, on: [ECONNREFUSED] } }
  other: { run: 'echo x >> other; echo fine; exit 1', retries: { max: 1, backoff: 0s, on: [E_BUSY] } }
  typed: { run: 'echo "a.ts(3,4): error TS2322: no"; echo "make: *** [Makefile:2: all] Error 2" >&2; exit 2' }
  python: { run: 'printf "Traceback (most recent call last):\\n  File x\\nKeyError: 1\\n" >&2; exit 1' }
  shell: { run: 'nosuchprogram' }
`,
      'crash.mjs': "throw new Error('cannot save', { cause: new Error('connect ECONNREFUSED 10.0.0.1:5432') });\n",
      'module.mjs': `import { appendFileSync } from 'node:fs';
export default () => {
  appendFileSync('module', 'x\\n');
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
};
`,
    });
    const ranAgain = ['refused', 'printed', 'lines', 'module', 'other'].map((name) => linesOf(join(folder, name)).length > 1);
    expect(ranAgain).toEqual([true, true, true, true, false]);
    const messages = Object.fromEntries(checkpointsOf(onlyRun(folder)).map(({ task_id, error }) => [task_id, error?.message]));
    expect(messages).toMatchObject({
      crash: 'exit code 1: Error: cannot save (cause: Error: connect ECONNREFUSED 10.0.0.1:5432)',
      printed: 'exit code 1: gave up',
      module: 'TypeError: fetch failed (cause: Error: connect ECONNREFUSED)',
      other: 'exit code 1',
      typed: 'exit code 2: a.ts(3,4): error TS2322: no',
      python: 'exit code 1: KeyError: 1',
      shell: expect.stringMatching(/^exit code 127: .*nosuchprogram: not found$/),
    });
  });

  it('is another for another error or exit code; numbers in messages are left out of what a group says', async () => {
    const { report } = await runFailing({
      'plan.yaml': `version: 1
name: groups
backup: none
defaults: { retries: { max: 0 } }
tasks:
  list: { run: 'seq 30', output: lines }
  many:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    run: 'if [ $ITEM -le 3 ]; then "${NODE}" crash.mjs $ITEM; fi'
  codes:
    needs: [many]
    if: "true"
    foreach: "\${{ tasks.list.results.stdout }}"
    run: 'case $ITEM in 1|2) exit 3;; 3|4) exit 7;; 5|6|7|8) echo "bad $ITEM" >&2; exit 1;; esac'
`,
      'crash.mjs': `const n = Number(process.argv[2]);
throw [new Error('no such table'), new TypeError('not a function'), new RangeError('too long')][n - 1];
`,
    });
    const [many, codes] = report.assessments;
    expect(many?.diagnosis).toEqual({ kind: 'random', causes: 3, count: 3 });
    expect(codes?.diagnosis.kind).toBe('random');
    expect(report.failures.map(({ count, message }) => `${count} × ${message}`).sort()).toEqual([
      '1 × exit code 1: Error: no such table',
      '1 × exit code 1: RangeError: too long',
      '1 × exit code 1: TypeError: not a function',
      '2 × exit code 3',
      '2 × exit code 7',
      '4 × exit code 1: bad N',
    ]);
  });
});
