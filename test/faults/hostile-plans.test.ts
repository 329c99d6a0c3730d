import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, waveplan } from '../support/cli.js';
import { tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: x\n';
const TASK = 'tasks:\n  t: { run: "touch done" }\n';
const plan = (more: string): string => `${HEAD}${more}${TASK}`;

/** A file name, its bytes, and every diagnostic that is expected of it. */
type Hostile = readonly [name: string, bytes: string | Buffer, expected: readonly string[]];

const levels = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Each level holds ten of the one below: 10^12 values in some 500 bytes. */
const bomb = Array.from(
  { length: 12 },
  (_, i) =>
    `  - &a${i} [${
      i === 0
        ? 'x'
        : Array(10)
            .fill(`*a${i - 1}`)
            .join(', ')
    }]\n`,
).join('');

const HOSTILE: readonly Hostile[] = [
  [
    'alias-bomb.yaml',
    `${HEAD}tasks:\n  t: { uses: ./m.mjs, with: *a11 }\nx:\n${bomb}`,
    ['4:29 PLAN-ALIAS', '5:1 PLAN-UNKNOWN-KEY', '12:25 PLAN-ALIAS'],
  ],
  [
    'alias-bomb-before.yaml',
    `x:\n${bomb}${HEAD}tasks:\n  t: { uses: ./m.mjs, with: *a11 }\n`,
    ['1:1 PLAN-UNKNOWN-KEY', '8:25 PLAN-ALIAS'],
  ],
  ['alias-circle.yaml', plan('env: &a { A: *a }\n'), ['3:14 PLAN-ALIAS', '3:14 PLAN-TYPE']],
  ['merge-circle.yaml', plan('env: &a { <<: *a }\n'), ['3:15 PLAN-ALIAS', '3:15 PLAN-YAML']],
  ['deep-flow.yaml', plan(`params: ${levels(2000)}\n`), ['3:208 PLAN-DEPTH']],
  [
    'deep-block.yaml',
    plan(`params:\n${Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i + 1)}a:\n`).join('')}`),
    ['PLAN-DEPTH'],
  ],
  ['deep-list.yaml', `${'- '.repeat(2000)}a\n`, ['PLAN-DEPTH']],
  [
    'deep-expression.yaml',
    `${HEAD}tasks:\n  t: { run: x, if: '${'('.repeat(2000)}1 == 1${')'.repeat(2000)}' }\n`,
    ['PLAN-EXPRESSION'],
  ],
  [
    'task-circle.yaml',
    `${HEAD}tasks:\n  a: { needs: [c], run: x }\n  b: { needs: [a], run: x }\n  c: { needs: [b], run: x }\n`,
    ['4:16 PLAN-CYCLE'],
  ],
  [
    'keys.yaml',
    plan('__proto__: { agents: 5 }\nconstructor: 1\nname: y\nagnets: 2\n'),
    ['3:1 PLAN-UNKNOWN-KEY', '4:1 PLAN-UNKNOWN-KEY', '5:1 PLAN-DUPLICATE-KEY', '6:1 PLAN-UNKNOWN-KEY'],
  ],
  ['proto-task.yaml', `${HEAD}tasks: { __proto__: { run: x } }\n`, ['3:10 PLAN-NAME']],
  [
    'proto-everywhere.yaml',
    plan('params: { __proto__: { default: a } }\nenv: { __proto__: b }\ntemplates: { __proto__: { run: x } }\n'),
    ['5:14 PLAN-NAME'],
  ],
  ['tag.yaml', plan('description: !!js/function "x"\n'), ['3:14 PLAN-YAML']],
  ['latin1.yaml', Buffer.from(plan('description: caf\xe9\n'), 'latin1'), ['PLAN-FILE']],
  ['utf16.yaml', Buffer.from(`\ufeff${plan('')}`, 'utf16le'), ['PLAN-FILE']],
  ['nul.yaml', plan('env: { A: "a\\0b" }\n'), ['3:11 PLAN-VALUE']],
  ['binary.yaml', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256)), ['PLAN-FILE']],
  ['empty.yaml', '', ['PLAN-EMPTY']],
  ['comment.yaml', '# nothing here\n', ['PLAN-EMPTY']],
  ['null.yaml', 'null\n', ['1:1 PLAN-TYPE']],
  ['two.yaml', `${plan('')}---\n${plan('')}`, ['6:1 PLAN-YAML']],
  [
    'many-axes.yaml',
    `${HEAD}tasks:\n  t: { run: x, foreach: { matrix: { ${Array.from({ length: 100 }, (_, i) => `a${i}: [1, 2]`).join(', ')} } } }\n`,
    ['4:35 PLAN-VALUE'],
  ],
  ['template-circle.yaml', plan('templates: { a: { template: b }, b: { template: a } }\n'), ['3:49 PLAN-TEMPLATE']],
];

/** The diagnostics that a command printed, by file: place (where they have one) and code. */
function told({ stderr }: CliResult): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [, file = '', place, code = ''] of stderr.matchAll(/^(\S+?\.yaml)(?::(\d+:\d+))? (PLAN-[A-Z-]+) /gm)) {
    found.set(file, [...(found.get(file) ?? []), `${place === undefined ? '' : `${place} `}${code}`]);
  }
  return found;
}

function expectNoCrash({ code, text }: CliResult): void {
  expect(code).toBe(2);
  expect(text).not.toMatch(/Internal error|^\s+at .*\.js:\d|RangeError|heap|undefined/m);
}

describe('a hostile plan', () => {
  it('is refused with code and place, and so are all others in the same process', async () => {
    const folder = tempFolder();
    for (const [name, bytes] of HOSTILE) writeFileSync(join(folder, name), bytes);
    writeFiles(folder, { 'm.mjs': '', 'good.yaml': plan('') });
    const names = HOSTILE.map(([name]) => name);
    const done = await waveplan(['validate', ...names, ...names, 'good.yaml'], { cwd: folder });
    expectNoCrash(done);
    expect(done.stdout).toBe('good.yaml: valid (1 task in 1 wave)\n');
    const found = told(done);
    const seen: unknown[] = [];
    const wanted: unknown[] = [];
    for (const [name, , expected] of HOSTILE) {
      const placed = expected.some((one) => one.includes(':'));
      const codes = (found.get(name) ?? []).map((one) => (placed ? one : one.replace(/^\d+:\d+ /, '')));
      seen.push([name, codes]);
      wanted.push([name, [...expected, ...expected]]);
    }
    expect(seen).toEqual(wanted);
  });

  it('starts nothing', async () => {
    const folder = tempFolder();
    for (const [name, bytes] of HOSTILE.slice(0, 3)) writeFileSync(join(folder, name), bytes);
    for (const [name] of HOSTILE.slice(0, 3)) expectNoCrash(await waveplan(['run', name, '--yes'], { cwd: folder }));
    expect(readdirSync(folder).sort()).toEqual(
      HOSTILE.slice(0, 3)
        .map(([name]) => name)
        .sort(),
    );
  });

  it('of 50 MiB is not read to its end', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'large.yaml'), `${plan('')}#`);
    truncateSync(join(folder, 'large.yaml'), 50 * 1024 * 1024);
    const done = await waveplan(['validate', 'large.yaml'], { cwd: folder, env: { NODE_OPTIONS: '--max-old-space-size=100' } });
    expectNoCrash(done);
    expect(done.stderr).toContain('large.yaml PLAN-FILE the file is larger than 10 MiB');
  });
});

describe('a hostile include', () => {
  const including = (...files: readonly string[]): string => plan(`include: [${files.join(', ')}]\n`);

  it.each<[string, Readonly<Record<string, string | Buffer>>, RegExp]>([
    [
      'that leads back to the plan',
      { 'a.yaml': 'include: [plan.yaml]\n' },
      /^a\.yaml:1:11 PLAN-INCLUDE files include each other in a circle: plan\.yaml → a\.yaml → plan\.yaml/m,
    ],
    ['that includes itself', { 'a.yaml': 'include: [./a.yaml]\n' }, /^a\.yaml:1:11 PLAN-INCLUDE .*circle/m],
    ['that is not there', {}, /^plan\.yaml:3:11 PLAN-INCLUDE cannot include 'a\.yaml': there is no such file/m],
    ['that is nested too deeply', { 'a.yaml': `params: ${levels(2000)}\n` }, /^a\.yaml:1:\d+ PLAN-DEPTH/m],
    ['with an alias bomb', { 'a.yaml': `x:\n${bomb}` }, /^a\.yaml:\d+:\d+ PLAN-ALIAS/m],
    [
      'that is not UTF-8',
      { 'a.yaml': Buffer.from('name: caf\xe9\n', 'latin1') },
      /^plan\.yaml:3:11 PLAN-INCLUDE cannot include 'a\.yaml': the file is not UTF-8/m,
    ],
    ['with a key of the plan alone', { 'a.yaml': 'backup: none\n' }, /^a\.yaml:1:1 PLAN-INCLUDE 'backup' belongs to the plan/m],
    [
      'with __proto__',
      { 'a.yaml': '__proto__: { backup: none }\ntasks: { __proto__: { run: x } }\n' },
      /^a\.yaml:1:1 PLAN-UNKNOWN-KEY [\s\S]*^a\.yaml:2:10 PLAN-NAME/m,
    ],
    ['that is empty', { 'a.yaml': '' }, /^a\.yaml:1:1 PLAN-EMPTY/m],
    [
      'that gives a name again',
      { 'a.yaml': 'tasks: { t: { run: x } }\n' },
      /^plan\.yaml:5:3 PLAN-NAME [\s\S]*^ {2}a\.yaml:1:10 't' was given here first/m,
    ],
  ])('%s is refused', async (_, files, says) => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'plan.yaml'), including('a.yaml'));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const done = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expectNoCrash(done);
    expect(done.stderr).toMatch(says);
  });

  it('of a pipe, a device, a folder or a ring of links is refused without waiting', async () => {
    const folder = tempFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    mkdirSync(join(folder, 'folder'));
    symlinkSync('ring', join(folder, 'ring'));
    writeFileSync(join(folder, 'plan.yaml'), including('pipe', '/dev/zero', 'folder', 'ring', '""', '"a\\0b"'));
    const done = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expectNoCrash(done);
    const lines = [...done.stderr.matchAll(/^plan\.yaml:3:\d+ PLAN-(INCLUDE|VALUE) (.*)$/gm)].map(([, , text]) => text);
    expect(lines).toEqual([
      "cannot include 'pipe': it is not a file",
      "cannot include '/dev/zero': it is not a file",
      "cannot include 'folder': it is not a file",
      "cannot include 'ring': there is no such file",
      "item 5 of 'include' is empty",
      "cannot include 'a\\x00b': there is no such file",
    ]);
  });

  it('of very many files, or very large ones, is bounded', async () => {
    const folder = tempFolder();
    const names = Array.from({ length: 150 }, (_, i) => `f${i}.yaml`);
    for (const [i, name] of names.entries()) writeFileSync(join(folder, name), `include: [f${i + 1}.yaml]\n`);
    writeFileSync(join(folder, 'plan.yaml'), including('f0.yaml'));
    const chain = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expectNoCrash(chain);
    expect(chain.stderr).toContain('PLAN-INCLUDE a plan includes at most 100 files');

    for (const name of names.slice(0, 3)) writeFileSync(join(folder, name), `# ${'x'.repeat(4 * 1024 * 1024)}\nversion: 1\n`);
    writeFileSync(join(folder, 'plan.yaml'), including(...names.slice(0, 3)));
    const large = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expectNoCrash(large);
    expect(large.stderr).toContain("PLAN-INCLUDE what the plan includes is larger than 10 MiB, with 'f2.yaml'");
  });
});
