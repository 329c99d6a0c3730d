import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePlan } from '../../../src/plan/parse-plan.js';
import { scalingMode } from '../../../src/plan/valid-plan.js';
import { diagnose, planFolder, planOf, valid } from './marked-plan.js';

/** The format's reference example, as the documentation has it, with the module it names. */
const REFERENCE = `# yaml-language-server: $schema=../schemas/plan.schema.json
version: 1
name: rename-media
description: Rename every image to <category>_<date>_<uuid>.jpg
request: "Execute this task dynamically with auto-scaled parallel instances: rename the images"
type: file_operations
agents: auto
sync: wave
backup: commit
params: { root: { type: string, default: media } }
secrets: [API_TOKEN]
env: { LC_ALL: C }
limits: { rate: 1000/min, connections: 5000, iops: 10000, memoryPerAgent: 500MB }
pools: { db: 4, api: { max: 8, rate: 10/s } }
failure: { minor: 1%, major: 10%, critical: 50%, onMajor: sequential }
defaults: { retries: { max: 2, backoff: 200ms, factor: 2, jitter: full }, timeout: 5m }
tasks:
  scan:
    phase: Analysis
    uses: files/glob
    with: { patterns: ["**/*.jpg"], cwd: "\${{ params.root }}" }
  rename:
    phase: Main operations
    needs: [scan]
    foreach: "\${{ tasks.scan.results.files }}"
    batch: 10
    uses: ./tasks/rename.ts
    with: { file: "\${{ item }}" }
    estimate: 50ms
    pool: api
    if: "params.root != ''"
    success: ["results.renamed"]
    outputs: ["\${{ item }}.done"]
  lint:
    needs: [rename]
    run: npm run lint
    output: text
finally: { cleanup: { run: rm -rf tmp } }
`;

/** The same without what comes later. */
const SUPPORTED = REFERENCE.replace(/^(secrets|pools| {4}pool):.*\n/gm, '');

describe('the reference example', () => {
  it('is accepted', () => {
    expect(diagnose(REFERENCE)).toEqual([]);
  });

  it('becomes a plan with everything filled in', () => {
    const plan = valid(SUPPORTED);
    expect(plan.request).toEqual({ mode: 'AUTOMATIC_SCALING', task: 'rename the images' });
    expect(plan.params).toEqual({ root: 'media' });
    expect(plan.limits).toEqual({ ratePerMinute: 1000, connections: 5000, iops: 10_000, memoryPerAgentBytes: 500_000_000 });
    expect([plan.type, plan.agents, plan.sync, plan.backup]).toEqual(['file_operations', { kind: 'auto' }, 'wave', 'commit']);
    expect(plan.tasks.map((task) => task.id)).toEqual(['scan', 'rename', 'lint']);
    const [scan, rename, lint] = plan.tasks;
    expect(scan?.with).toEqual({ patterns: ['**/*.jpg'], cwd: '${{ params.root }}' });
    expect(rename).toMatchObject({
      phase: 'Main operations',
      needs: ['scan'],
      foreach: { kind: 'expression', expression: 'tasks.scan.results.files', tasks: ['scan'] },
      batch: 10,
      work: { kind: 'module', uses: './tasks/rename.ts', exportName: 'default' },
      env: { LC_ALL: 'C' },
      if: "params.root != ''",
      success: ['results.renamed'],
      estimateMs: 50,
      timeoutMs: 300_000,
      retries: { max: 2, backoffMs: 200, factor: 2, jitter: 'full' },
      reads: ['scan'],
      range: { line: 20, column: 3, endLine: 20, endColumn: 9 },
    });
    expect(lint?.work).toEqual({ kind: 'shell', command: 'npm run lint' });
    expect(plan.finally.map((task) => [task.id, task.work])).toEqual([['cleanup', { kind: 'shell', command: 'rm -rf tmp' }]]);
    expect(plan.warnings).toEqual([]);
  });

  it('takes --param values, in their declared types', () => {
    expect(valid(SUPPORTED, { root: 'photos' }).params).toEqual({ root: 'photos' });
    const typed = planOf(
      '  t: { run: x }\n',
      'params: { n: { type: number }, i: { type: integer }, b: { type: boolean, default: true } }\n',
    );
    expect(valid(typed, { n: '1.5e3', i: '-7', b: 'false' }).params).toEqual({ n: 1500, i: -7, b: false });
  });
});

describe('what a plan may leave out', () => {
  it('has defaults', () => {
    const plan = valid(planOf('  t: { run: x }\n'));
    expect(plan).toMatchObject({
      description: undefined,
      request: { mode: 'AUTOMATIC_SCALING', task: 'x' },
      type: 'general',
      agents: { kind: 'auto' },
      backup: 'commit',
      params: {},
      finally: [],
    });
    expect(plan.limits).toEqual({
      ratePerMinute: undefined,
      connections: undefined,
      iops: undefined,
      memoryPerAgentBytes: undefined,
    });
    expect(plan.tasks[0]).toMatchObject({
      retries: { max: 0, backoffMs: 200, factor: 2, jitter: 'full' },
      timeoutMs: undefined,
      output: 'text',
      success: [],
      reads: [],
      foreach: undefined,
      batch: undefined,
    });
  });

  it('reads what failures mean: shares, causes, time for all attempts', () => {
    const plan = valid(
      planOf(
        "  t: { run: x, retries: { on: [75, timeout, '/ECONN(RESET|REFUSED)/i', 'a.b'] }, subtaskTimeout: 1m }\n  u: { run: x, retries: { max: 0 } }\n",
        'failure: { major: 20%, onMajor: abort }\ndefaults: { retries: { max: 2, on: [1] }, subtaskTimeout: 5m }\n',
      ),
    );
    expect(plan.failure).toEqual({ minor: undefined, major: 0.2, critical: undefined, onMajor: 'abort' });
    expect(plan.tasks[0]?.subtaskTimeoutMs).toBe(60_000);
    expect(plan.tasks[0]?.retries.on).toEqual([
      { kind: 'exit-code', code: 75 },
      { kind: 'failure-kind', failure: 'timeout' },
      { kind: 'pattern', source: 'ECONN(RESET|REFUSED)', flags: 'i' },
      { kind: 'pattern', source: 'a\\.b', flags: '' },
    ]);
    expect(plan.tasks[1]).toMatchObject({ subtaskTimeoutMs: 300_000, retries: { max: 0, never: true, on: [{ code: 1 }] } });
  });

  it('lets a task override the defaults key by key', () => {
    const plan = valid(
      planOf(
        '  t: { run: x, retries: { max: 5, jitter: none }, timeout: 2s }\n',
        'defaults: { retries: { max: 2, backoff: 1s }, timeout: 5m }\n',
      ),
    );
    expect(plan.tasks[0]).toMatchObject({ retries: { max: 5, backoffMs: 1000, factor: 2, jitter: 'none' }, timeoutMs: 2000 });
  });
});

describe('agents and request', () => {
  it.each([
    ['agents: 50\n', { kind: 'count', agents: 50 }, 'USER_OVERRIDE'],
    ['agents: "50"\n', { kind: 'count', agents: 50 }, 'USER_OVERRIDE'],
    ['agents: "75%"\n', { kind: 'share', share: 0.75 }, 'USER_OVERRIDE'],
    ['agents: 75%\n', { kind: 'share', share: 0.75 }, 'USER_OVERRIDE'],
    ['agents: auto\n', { kind: 'auto' }, 'AUTOMATIC_SCALING'],
    ['request: clean up using 7 parallel agents\n', { kind: 'auto' }, 'USER_OVERRIDE'],
  ])('%j', (line, agents, mode) => {
    const plan = valid(planOf('  t: { run: x }\n', line));
    expect(plan.agents).toEqual(agents);
    expect(scalingMode(plan)).toBe(mode);
  });
});

describe('tasks', () => {
  it('keep numbers of argv and env as they were written', () => {
    const [task] = valid(
      planOf('  t: { run: [sleep, 1.10, 0x10, true, "007"], env: { V: 1.0, E: "" } }\n', 'env: { V: 2, W: yes }\n'),
    ).tasks;
    expect(task?.work).toEqual({ kind: 'argv', argv: ['sleep', '1.10', '0x10', 'true', '007'] });
    expect(task?.env).toEqual({ V: '1.0', W: 'yes', E: '' });
  });

  it('take modules by path and export', () => {
    const folder = planFolder();
    const parsed = parsePlan(planOf('  t: { uses: "./tasks/../tasks/rename.ts#other" }\n'), { file: join(folder, 'plan.yaml') });
    expect(parsed.ok && parsed.value.tasks[0]?.work).toEqual({
      kind: 'module',
      uses: './tasks/../tasks/rename.ts#other',
      file: join(folder, 'tasks/rename.ts'),
      exportName: 'other',
    });
  });

  it('take conditions bare, in braces, or as true and false', () => {
    const plan = valid(
      planOf('  a: { run: x, if: "${{ 1 == 1 }}", success: ["${{ results.exitCode == 0 }}"] }\n  b: { run: x, if: false }\n'),
    );
    expect(plan.tasks.map((task) => task.if)).toEqual(['1 == 1', 'false']);
    expect(plan.tasks[0]?.success).toEqual(['results.exitCode == 0']);
  });

  it('warn of a list that is empty', () => {
    const { warnings } = valid(planOf('  t: { run: x, foreach: [] }\n'));
    expect(warnings).toMatchObject([{ severity: 'warning', message: expect.stringContaining('empty list') }]);
  });

  it('may read what they need, directly or not, and finally tasks may read all', () => {
    const plan = valid(
      planOf(
        '  a: { run: x }\n  b: { run: x, needs: [a] }\n  c: { run: [echo, "${{ tasks.a.results }}"], needs: [b], if: tasks.b.results != null }\n',
        'finally: { d: { run: [echo, "${{ tasks.c.results }}"] } }\n',
      ),
    );
    expect(plan.tasks[2]?.reads).toEqual(['a', 'b']);
    expect(plan.finally[0]?.reads).toEqual(['c']);
  });

  it('may have names that are harmless here and not everywhere', () => {
    const plan = valid(
      planOf(
        '  constructor: { run: x }\n  toString: { needs: [constructor], run: [x, "${{ tasks.constructor.results }}"], env: { __proto__: "1" } }\n  "1": { run: x }\n',
      ),
    );
    expect(plan.tasks.map((task) => task.id)).toEqual(['constructor', 'toString', '1']);
    expect(Object.entries(plan.tasks[1]?.env ?? {})).toEqual([['__proto__', '1']]);
  });
});

describe('YAML', () => {
  it('merges mappings, own keys first', () => {
    const plan = valid(
      planOf('  a: &a { run: x, timeout: 5s }\n  b: { <<: *a, run: y }\n  c:\n    <<: [*a, { env: { V: 1 } }]\n    needs: [a]\n'),
    );
    expect(plan.tasks.map((task) => [task.work, task.timeoutMs])).toEqual([
      [{ kind: 'shell', command: 'x' }, 5000],
      [{ kind: 'shell', command: 'y' }, 5000],
      [{ kind: 'shell', command: 'x' }, 5000],
    ]);
    expect(plan.tasks[2]?.env).toEqual({ V: '1' });
  });

  it('may have a byte order mark, CRLF, and comments around', () => {
    expect(valid('\ufeff# a\r\nversion: 1\r\nname: x\r\ntasks:\r\n  t: { run: x }\r\n# end\r\n').tasks).toHaveLength(1);
  });

  it.each([
    ['', 'PLAN-EMPTY'],
    ['# only a comment\n', 'PLAN-EMPTY'],
    ['---\n', 'PLAN-EMPTY'],
  ])('%j is an empty file', (text, code) => {
    expect(diagnose(text).map((one) => [one.code, one.range])).toEqual([[code, undefined]]);
  });

  it.each([
    ['flow lists', '['.repeat(2000)],
    ['flow lists, a great many', '['.repeat(2_000_000)],
    ['flow mappings', '{a: '.repeat(5000)],
    ['block lists', '- '.repeat(100_000)],
    ['explicit keys', '? '.repeat(100_000)],
    ['block mappings', Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ])('nested too deeply is an error: %s', (_name, text) => {
    expect(diagnose(text).map((one) => one.code)).toEqual(['PLAN-DEPTH']);
  });

  it('that aliases multiply or deepen without bound is an error', () => {
    const bomb = 'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[index]}`).join(',')}]\n`);
    const deep = Array.from({ length: 3000 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}]\n`);
    for (const text of [`a: &a [x,x,x,x,x,x,x,x,x,x]\n${bomb.join('')}`, `a0: &a0 [x]\n${deep.join('')}`]) {
      const found = diagnose(text + planOf('  t: { run: x }\n')).filter((one) => one.code === 'PLAN-ALIAS');
      expect(found).toHaveLength(1);
      expect(found[0]?.range).toBeDefined();
    }
  });
});

describe('the hash', () => {
  const base = `  t: { run: x }\n`;
  const hashOf = (tasks: string, rest = '', params = {}): string | undefined =>
    valid(planOf(tasks, rest), params).tasks.at(-1)?.hash;

  it.each([
    ['  u: { run: x }\n', ''],
    ['  t: { run: x, phase: A, estimate: 5s, timeout: 1m, retries: { max: 3 } }\n', ''],
    ['  a: { run: y }\n  t: { run: x, needs: [a] }\n', ''],
    ['  t: { run: x, foreach: [1, 2] }\n', ''],
    ['  t: { output: text, run: "x" }\n', 'type: computation\n'],
  ])('stays the same: %j', (tasks, rest) => {
    expect(hashOf(tasks, rest)).toBe(hashOf(base));
  });

  it.each([
    ['  t: { run: y }\n', ''],
    ['  t: { run: [x] }\n', ''],
    ['  t: { run: x, env: { A: b } }\n', ''],
    ['  t: { run: x }\n', 'env: { A: b }\n'],
    ['  t: { run: x, cwd: y }\n', ''],
    ['  t: { run: x, output: json }\n', ''],
    ['  t: { run: x, success: [results.exitCode == 0] }\n', ''],
  ])('changes with what the task does: %j %j', (tasks, rest) => {
    expect(hashOf(tasks, rest)).not.toBe(hashOf(base));
  });

  it('changes with the params that the task can see, and with no others', () => {
    const rest = 'params: { a: { default: x }, b: { default: x } }\n';
    const module = '  t: { uses: ./tasks/rename.ts, with: "${{ params.a }}" }\n';
    expect(hashOf(module, rest, { b: 'y' })).toBe(hashOf(module, rest));
    expect(hashOf(module, rest, { a: 'y' })).not.toBe(hashOf(module, rest));
    expect(hashOf(base, rest, { b: 'y' })).not.toBe(hashOf(base, rest));
  });
});

describe('large plans', () => {
  const count = 20_000;
  const chain = (first: string, run: (index: number) => string): string =>
    planOf(
      Array.from(
        { length: count },
        (_, index) => `  t${index}: { needs: [${index === 0 ? first : `t${index - 1}`}], run: [x${run(index)}] }\n`,
      ).join(''),
    );

  it('a long chain, in which everybody reads the first task, is valid', () => {
    expect(valid(chain('', (index) => (index === 0 ? '' : ', "${{ tasks.t0.results }}"'))).tasks).toHaveLength(count);
  });

  it('a circle through all tasks is one diagnostic with every edge', () => {
    const found = diagnose(chain(`t${count - 1}`, () => ''));
    expect(found.map((one) => one.code)).toEqual(['PLAN-CYCLE']);
    expect(found[0]?.related).toHaveLength(count);
  });
});
