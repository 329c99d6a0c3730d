import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, git, onlyRun, repository, tempFolder, waveStartOf, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: example\nbackup: none\n';

async function run(folder: string, plan: string, ...args: readonly string[]) {
  writeFiles(folder, { 'plan.yaml': plan });
  return waveplan(['run', 'plan.yaml', '--yes', ...args], { cwd: folder });
}

function results(folder: string): Record<string, unknown> {
  return Object.fromEntries(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint.results]));
}

describe('run', () => {
  it('runs commands, modules in JavaScript and TypeScript, and passes results on', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'tasks/double.ts': `
        type Input = { n: number };
        export default function double(input: Input): number { return input.n * 2; }
        export const named = (input: Input, context: { index: number }): string => input.n + '@' + context.index;`,
      'tasks/sum.mjs': `
        export default async function sum(input, context) {
          console.log('from the console');
          context.log('from the log');
          const doubled = await context.results('doubled');
          const { stdout, exitCode } = await context.exec(['printf', '%s', 'exact\\n\\n']);
          return { sum: doubled.reduce((a, b) => a + b, 0), given: input.given, stdout, exitCode, summary: 'the sum is known' };
        }`,
    });
    const done = await run(
      folder,
      `${HEAD}params: { top: { type: integer, default: 3 } }
tasks:
  numbers: { run: 'printf "%s\\n" 1 2 3', output: lines }
  object: { run: 'echo "{\\"list\\": [1, 2, $PARAM_top]}"', output: json }
  doubled:
    needs: [object]
    foreach: "\${{ tasks.object.results.stdout.list }}"
    uses: ./tasks/double.ts
    with: { n: "\${{ item }}" }
  named: { needs: [object], foreach: [7, 8], uses: "./tasks/double.ts#named", with: { n: "\${{ item }}" } }
  sum:
    needs: [doubled, numbers]
    uses: ./tasks/sum.mjs
    with: { given: "\${{ tasks.numbers.results.stdout }}" }
    success: ["results.sum == 2 * (1 + 2 + params.top)"]
`,
      '--param',
      'top=5',
    );
    expect(done.text).toContain('the sum is known');
    expect(done.code).toBe(0);
    expect(results(folder)).toMatchObject({
      numbers: { exitCode: 0, stdout: ['1', '2', '3'], stderr: '' },
      'doubled[0]': 2,
      'doubled[2]': 10,
      'named[1]': '8@1',
      sum: { sum: 16, given: ['1', '2', '3'], stdout: 'exact\n\n', exitCode: 0 },
    });
    expect(readFileSync(join(onlyRun(folder), 'logs', 'sum.log'), 'utf8')).toBe('from the console\nfrom the log\n');
    expect(done.text).not.toContain('from the console');
  });

  it('gives each subtask what its module says and its late errors, whether it answers at once or later', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'answer.mjs': `
        export default function answer(n) {
          console.log('now ' + n);
          if (n < 3) return n;
          return new Promise((resolve) => setTimeout(() => { console.log('later ' + n); resolve(n); }, 5));
        }
        export function fail(n) {
          if (n < 3) return n;
          return new Promise(() => setTimeout(() => { throw new Error('thrown late by ' + n); }, 5));
        }`,
    });
    const tasks = `
  each: { foreach: [1, 2, 3, 4, 2, 3], uses: ./answer.mjs, with: "\${{ item }}" }
  fails: { foreach: [1, 2, 3, 2, 4], uses: "./answer.mjs#fail", with: "\${{ item }}" }`;
    const done = await run(folder, `${HEAD}tasks:${tasks}\n`, '--agents', '2', '--keep-going');
    expect(done.code).toBe(1);
    const said = (index: number) => readFileSync(join(onlyRun(folder), 'logs', `each[${index}].log`), 'utf8');
    expect([0, 1, 2, 3, 4, 5].map(said)).toEqual([
      'now 1\n',
      'now 2\n',
      'now 3\nlater 3\n',
      'now 4\nlater 4\n',
      'now 2\n',
      'now 3\nlater 3\n',
    ]);
    const failed = checkpointsOf(onlyRun(folder)).filter(({ status }) => status === 'failure');
    expect(failed.map(({ task_id, error }) => [task_id, error?.message]).sort()).toEqual([
      ['fails[2]', 'Error: thrown late by 3'],
      ['fails[4]', 'Error: thrown late by 4'],
    ]);
  });

  it('leaves state, report and plan behind, and nothing else', async () => {
    const folder = repository({ 'kept.txt': 'kept' });
    const done = await run(folder, 'version: 1\nname: example\ntasks: { hello: { run: echo hello } }\n');
    expect(done.code).toBe(0);
    expect(git(folder, 'status', '--porcelain')).toBe('');
    const files = readdirSync(onlyRun(folder)).sort();
    expect(files).toEqual(expect.arrayContaining(['manifest.json', 'plan.yaml', 'report.json', 'report.md', 'wave1.ndjson']));
    expect(readFileSync(join(onlyRun(folder), 'plan.yaml'), 'utf8')).toContain('hello');
    const manifest = JSON.parse(readFileSync(join(onlyRun(folder), 'manifest.json'), 'utf8'));
    expect(manifest.methodologyHash).toMatch(/^[0-9a-f]{16}/);
    expect(git(folder, 'log', '-1', '--format=%s').trim()).toBe('Backup before parallel operation: example');
  });

  it('writes one checkpoint a subtask, with every field, and the same as files when asked', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks: { many: { foreach: [a, b, a], run: 'echo "$ITEM $INDEX"' } }\n`,
      '--checkpoint-files',
      'points',
    );
    expect(done.code).toBe(0);
    const checkpoints = checkpointsOf(onlyRun(folder));
    expect(checkpoints).toHaveLength(3);
    for (const checkpoint of checkpoints) {
      expect(checkpoint).toMatchObject({
        wave: 1,
        status: 'success',
        attempt: 1,
        agent_id: expect.stringMatching(/^agent_\d+$/),
      });
      expect(checkpoint.timestamp).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
      expect(checkpoint.duration_ms).toBeGreaterThan(0);
    }
    // Equal items have keys of their own, and keys do not follow the index.
    expect(new Set(checkpoints.map((checkpoint) => checkpoint.key)).size).toBe(3);
    expect(readdirSync(join(folder, 'points')).sort()).toEqual([0, 1, 2].map((i) => `wave1_many-${i}_results.json`));
    expect(JSON.parse(readFileSync(join(folder, 'points', 'wave1_many-1_results.json'), 'utf8'))).toMatchObject({
      task_id: 'many[1]',
      results: { stdout: 'b 1\n' },
    });
  });

  it('hands a batch over as a list and cuts the last one short', async () => {
    const folder = tempFolder();
    const done = await run(folder, `${HEAD}tasks: { many: { foreach: [1, 2, 3, 4, 5], batch: 2, run: 'echo "$ITEM"' } }\n`);
    expect(done.code).toBe(0);
    expect(results(folder)).toMatchObject({
      'many[0]': { stdout: '[1,2]\n' },
      'many[1]': { stdout: '[3,4]\n' },
      'many[2]': { stdout: '[5]\n' },
    });
  });

  it('gives commands their env, cwd, item fields and parameters', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'sub/here.txt': '' });
    const done = await run(
      folder,
      `${HEAD}env: { A: plan, B: plan }
params: { p: { type: string, default: "x y" } }
tasks:
  show:
    foreach: [{ name: "o'brien", size: 3, deep: { no: 1 } }]
    env: { B: "\${{ item.name }}" }
    cwd: sub
    run: 'ls; echo "$A|$B|$ITEM_name|$ITEM_size|\${ITEM_deep-unset}|$PARAM_p|$ATTEMPT"'
`,
    );
    expect(done.code).toBe(0);
    expect(results(folder)).toMatchObject({ 'show[0]': { stdout: "here.txt\nplan|o'brien|o'brien|3|unset|x y|1\n" } });
  });

  it('leaves out what its if rules out, and its dependents still run', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks:
  odd: { foreach: [1, 2, 3], if: "item % 2 == 1", run: 'echo "$ITEM"' }
  after: { needs: [odd], run: [echo, "\${{ tasks.odd.results }}"] }
`,
    );
    expect(done.code).toBe(0);
    expect(Object.keys(results(folder)).sort()).toEqual(['after', 'odd[0]', 'odd[2]']);
    const { stdout } = results(folder)['after'] as { stdout: string };
    expect(JSON.parse(stdout)[1]).toBeNull();
  });

  it('takes an empty fan-out as done', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks: { none: { foreach: [], run: 'false' }, after: { needs: [none], run: 'echo ran' } }\n`,
    );
    expect(done.code).toBe(0);
    expect(Object.keys(results(folder))).toEqual(['after']);
  });

  it('runs finally after a failure, and exits 1', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks: { bad: { run: 'echo oh no >&2; exit 7' }, next: { needs: [bad], run: touch next } }
finally: { clean: { run: touch cleaned } }
`,
    );
    expect(done.code).toBe(1);
    expect(existsSync(join(folder, 'cleaned'))).toBe(true);
    expect(existsSync(join(folder, 'next'))).toBe(false);
    expect(done.text).toContain('exit code 7: oh no');
    expect(checkpointsOf(onlyRun(folder))[0]).toMatchObject({ status: 'failure', error: { kind: 'command', exitCode: 7 } });
  });

  it('holds finally tasks to their definition of done and their retries, and fails the run for them', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks: { fine: { run: echo fine } }
finally:
  flaky: { run: '[ "$ATTEMPT" = 2 ]', retries: { max: 1, backoff: 1ms } }
  undone: { run: echo 1, output: json, success: ["results.stdout == 2"] }
  last: { run: touch last }
`,
    );
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('1 of the finally tasks failed');
    expect(existsSync(join(folder, 'last'))).toBe(true);
    expect(checkpointsOf(onlyRun(folder)).map(({ task_id, status, attempt }) => [task_id, status, attempt])).toEqual([
      ['fine', 'success', 1],
      ['flaky', 'success', 2],
      ['undone', 'failure', 1],
      ['last', 'success', 1],
    ]);
  });

  it('retries as often as it was told and records the last attempt', async () => {
    const folder = tempFolder();
    const plan = `${HEAD}tasks:
  flaky: { run: 'echo x >> tries; [ "$ATTEMPT" = 3 ]', retries: { max: 2, backoff: 1ms } }
`;
    expect((await run(folder, plan)).code).toBe(0);
    expect(readFileSync(join(folder, 'tries'), 'utf8')).toBe('x\nx\nx\n');
    expect(checkpointsOf(onlyRun(folder))).toMatchObject([{ status: 'success', attempt: 3 }]);

    const other = tempFolder();
    expect((await run(other, plan, '--retries', '1')).code).toBe(1);
    expect(readFileSync(join(other, 'tries'), 'utf8')).toBe('x\nx\n');
  });

  it('ends a subtask whose time is up, with all that it started', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'loop.mjs': 'export default () => { for (;;); };',
      'wait.mjs': `
        export default (input, { signal }) => new Promise((resolve, reject) => {
          const timer = setInterval(() => {}, 1000);
          signal.addEventListener('abort', () => { clearInterval(timer); reject(signal.reason); });
        });`,
    });
    const done = await run(
      folder,
      `${HEAD}tasks:
  slow: { run: 'sleep 300 & echo $! > pid; wait', timeout: 2s }
  stubborn: { uses: ./loop.mjs, timeout: 300ms }
  polite: { uses: ./wait.mjs, timeout: 300ms }
  fine: { run: echo fine }
`,
    );
    expect(done.code).toBe(1);
    const byName = Object.fromEntries(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
    for (const name of ['slow', 'stubborn', 'polite']) {
      expect(byName[name], name).toMatchObject({
        status: 'failure',
        error: { kind: 'timeout', message: `timed out after ${name === 'slow' ? '2000 ms' : '300 ms'}` },
      });
    }
    expect(byName['fine']).toMatchObject({ status: 'success' });
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('fails a subtask whose definition of done does not hold, or whose module is broken, and says why', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'throws.ts': 'export default function f(): never { throw new TypeError("no luck"); }',
      'syntax.ts': 'export default function ( {',
      'nothing.mjs': 'export const other = () => {};',
      'exits.mjs': 'export default () => process.exit(3);',
      'native.mjs': 'const fine = 1;\nexport default ( => fine;',
      'import.mjs': 'const fine = 1;\nthrow new Error("at import");\nexport default () => fine;',
      'function.mjs': 'export default () => () => 1;',
      'large.mjs': 'export default () => "x".repeat(17 * 1024 * 1024);',
      'circle.mjs': 'export default () => { const a = {}; a.a = a; return a; };',
    });
    const done = await run(
      folder,
      `${HEAD}tasks:
  undone: { run: 'echo 3', output: json, success: ["results.stdout == 3", "results.stdout > 5"] }
  throws: { uses: ./throws.ts }
  syntax: { uses: ./syntax.ts }
  nothing: { uses: ./nothing.mjs }
  exits: { uses: ./exits.mjs }
  circle: { uses: ./circle.mjs }
  native: { uses: ./native.mjs }
  import: { uses: ./import.mjs }
  function: { uses: ./function.mjs }
  large: { uses: ./large.mjs }
  missing: { run: [no-such-program-here] }
  notjson: { run: 'echo {', output: json }
  expression: { run: [echo, "\${{ params.p.q }}"] }
params: { p: { type: string, default: x } }
`,
    );
    expect(done.code).toBe(1);
    const errors = Object.fromEntries(checkpointsOf(onlyRun(folder)).map(({ task_id, error }) => [task_id, error]));
    expect(errors['undone']).toMatchObject({ kind: 'success', message: 'success: results.stdout > 5 is false' });
    expect(errors['throws']).toMatchObject({ kind: 'module', message: 'TypeError: no luck' });
    expect(errors['throws']?.stack).toContain('throws.ts');
    expect(errors['syntax']).toMatchObject({ kind: 'module-load' });
    expect(errors['syntax']?.message).toMatch(/syntax\.ts.*:1:/s);
    expect(errors['native']?.message).toMatch(/native\.mjs.*:2:/s);
    expect(errors['import']).toMatchObject({ kind: 'module-load', message: expect.stringMatching(/import\.mjs:2:\d+/) });
    expect(errors['function']).toMatchObject({ kind: 'output', message: expect.stringContaining('it is a function') });
    expect(errors['large']).toMatchObject({ kind: 'output', message: expect.stringContaining('at most 16 MiB') });
    expect(errors['nothing']).toMatchObject({ kind: 'module-load', message: expect.stringContaining('it exports other') });
    expect(errors['exits']).toMatchObject({ kind: 'agent-lost' });
    expect(errors['circle']).toMatchObject({ kind: 'output' });
    expect(errors['missing']).toMatchObject({ kind: 'spawn', message: expect.stringContaining('no-such-program-here') });
    expect(errors['notjson']).toMatchObject({ kind: 'output' });
    expect(errors['expression']).toMatchObject({ kind: 'expression' });
  });

  it('fails the subtask that left a rejected promise behind, and nobody else', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      // Rejects beside its own promise: one while it still runs, one when it is over.
      'during.mjs': `export default () => new Promise((resolve) => { setTimeout(() => Promise.reject(new Error('beside')), 5); setTimeout(resolve, 5000); });`,
      'after.mjs': `import { writeFileSync } from 'node:fs';
        const late = () => { Promise.reject(new Error('too late')); setImmediate(() => writeFileSync('late', '')); };
        export default () => { setTimeout(late, 30); return 'ok'; };`,
      'slow.mjs': `import { existsSync } from 'node:fs';
        export default () => new Promise((resolve) => {
          const look = () => (existsSync('late') ? resolve('slow') : setTimeout(look, 10));
          look();
        });`,
    });
    const done = await run(
      folder,
      `${HEAD}tasks: { during: { uses: ./during.mjs }, after: { uses: ./after.mjs }, slow: { foreach: [1, 2, 3, 4], uses: ./slow.mjs } }\n`,
      '--agents',
      '6',
    );
    expect(done.code).toBe(1);
    const byName = Object.fromEntries(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
    expect(byName['during']).toMatchObject({ status: 'failure', error: { kind: 'module', message: 'Error: beside' } });
    for (const name of ['after', 'slow[0]', 'slow[3]']) expect(byName[name], name).toMatchObject({ status: 'success' });
    expect(done.text).toMatch(/after left an error behind that nobody caught: Error: too late/);
  });

  it('goes on after a tolerated share of failures, and exits 1 all the same', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks:
  many: { foreach: [${Array.from({ length: 20 }, (_, i) => i).join(', ')}], run: '[ "$ITEM" != 7 ]' }
  after: { needs: [many], run: echo after }
`,
    );
    expect(done.code).toBe(1);
    expect(results(folder)).toHaveProperty('after');
    expect(done.text).toContain('within 10%');
  });

  it('stops after a wave of which too much failed', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}tasks:
  many: { foreach: [1, 2, 3, 4, 5], run: '[ "$ITEM" != 2 ]' }
  unrelated: { run: echo fine }
  after: { needs: [unrelated], run: echo after }
`,
    );
    expect(done.code).toBe(1);
    expect(results(folder)).not.toHaveProperty('after');
    expect(done.text).toContain('FAILED');
  });

  it('prints one JSON event a line with --json, and nothing else on standard output', async () => {
    const folder = tempFolder();
    const done = await run(folder, `${HEAD}tasks: { a: { foreach: [1, 2], run: echo hi } }\n`, '--json');
    expect(done.code).toBe(0);
    const events = done.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['run-started', 'wave-started', 'subtask-finished', 'wave-finished', 'run-finished']),
    );
    expect(events.filter(({ type }) => type === 'subtask-finished')).toHaveLength(2);
  });

  it('keeps the declared rate', async () => {
    const folder = tempFolder();
    const done = await run(
      folder,
      `${HEAD}type: api_calls\nlimits: { rate: 20/s }\ntasks: { call: { foreach: [1, 2, 3, 4, 5, 6], run: 'true' } }\n`,
      '--agents',
      '6',
    );
    expect(done.code).toBe(0);
    const last = Math.max(...checkpointsOf(onlyRun(folder)).map((checkpoint) => checkpoint.started));
    // Six starts need five intervals of 50 ms, but for what the pace may catch up; a thread that is late makes it longer.
    expect(last - waveStartOf(onlyRun(folder))).toBeGreaterThan(200);
  });
});
