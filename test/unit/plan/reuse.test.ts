import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../src/model/diagnostic.js';
import type { Result } from '../../../src/model/result.js';
import { loadPlan } from '../../../src/plan/load-plan.js';
import { parsePlan } from '../../../src/plan/parse-plan.js';
import type { TaskDefinition, ValidPlan } from '../../../src/plan/valid-plan.js';
import { tempFolder, writeFiles } from '../../support/repository.js';
import { planOf, unmark, valid } from './marked-plan.js';

type Loaded = Result<ValidPlan, readonly Diagnostic[]>;

/** Loads `plan.yaml` of the given files; `«…»` in them mark ranges, which are returned by file. */
function load(files: Readonly<Record<string, string>>, params: Readonly<Record<string, string>> = {}) {
  const folder = tempFolder();
  const unmarked = Object.entries(files).map(([name, text]) => [name, unmark(text)] as const);
  writeFiles(folder, Object.fromEntries(unmarked.map(([name, { text }]) => [name, text])));
  const ranges = Object.fromEntries(unmarked.map(([name, marked]) => [name, marked.ranges]));
  const loaded = loadPlan(join(folder, 'plan.yaml'), { displayName: 'plan.yaml', params });
  return { folder, loaded, ranges };
}

function found(loaded: Loaded) {
  return (loaded.ok ? [] : loaded.error).map(({ code, file, range }) => ({ code, file, range }));
}

function task(plan: ValidPlan, id: string): TaskDefinition {
  const all = [...plan.tasks, ...plan.finally];
  const one = all.find((candidate) => candidate.id === id);
  if (one === undefined) throw new Error(`no task ${id} among ${all.map((candidate) => candidate.id).join(', ')}`);
  return one;
}

describe('a template', () => {
  const TEMPLATES = `templates:
  base: { timeout: 5s, env: { A: base, B: base }, retries: { max: 2, backoff: 1s } }
  node: { template: base, run: npm test, output: lines, env: { B: node } }
  module: { template: base, uses: ./tasks/rename.ts, with: { file: a, mode: { deep: 1 } } }
`;

  it('gives its keys to a task, which adds to them and replaces them', () => {
    const plan = valid(planOf('  t: { template: node, timeout: 9s, env: { C: own }, retries: { max: 5 } }\n', TEMPLATES));
    expect(task(plan, 't')).toMatchObject({
      work: { kind: 'shell', command: 'npm test' },
      output: 'lines',
      timeoutMs: 9000,
      env: { A: 'base', B: 'node', C: 'own' },
      retries: { max: 5, backoffMs: 1000 },
    });
  });

  it('merges the input of a module one level deep', () => {
    const plan = valid(planOf('  t: { template: module, with: { mode: { other: 2 }, more: true } }\n', TEMPLATES));
    expect(task(plan, 't').with).toEqual({ file: 'a', mode: { other: 2 }, more: true });
  });

  it('gives way where the task does its work in another way', () => {
    const plan = valid(
      planOf('  t: { template: module, run: x }\n  u: { template: node, uses: ./tasks/rename.ts }\n', TEMPLATES),
    );
    expect(task(plan, 't')).toMatchObject({ work: { kind: 'shell' }, with: undefined, timeoutMs: 5000 });
    expect(task(plan, 'u')).toMatchObject({ work: { kind: 'module' }, output: 'text' });
  });

  it('makes the same task as the same words without a template: checkpoints and history hold for both', () => {
    const template = valid(planOf('  t: { template: a, env: { B: c } }\n', 'templates: { a: { run: x, env: { A: b } } }\n'));
    const written = valid(planOf('  t: { run: x, env: { A: b, B: c } }\n'));
    expect(task(template, 't').hash).toBe(task(written, 't').hash);
  });

  it('serves tasks under finally', () => {
    expect(task(valid(planOf('  t: { run: x }\n', `${TEMPLATES}finally: { c: { template: node } }\n`)), 'c').output).toBe(
      'lines',
    );
  });

  it('refuses a chain that is deeper than anybody reads, without following it', () => {
    const chain = Array.from({ length: 3000 }, (_, i) => `  t${i}: { template: t${i + 1} }\n`).join('');
    const { loaded } = load({ 'plan.yaml': planOf('  t: { run: x }\n', `templates:\n${chain}  t3000: { run: x }\n`) });
    expect(loaded.ok).toBe(false);
    expect(new Set(found(loaded).map((one) => one.code))).toEqual(new Set(['PLAN-TEMPLATE']));
  });
});

describe('an included file', () => {
  it('gives its params, templates, tasks, finally tasks and modules, ahead of the plan', () => {
    const { loaded, folder } = load(
      {
        'plan.yaml': planOf('  own: { template: lib, needs: [lint], with: "${{ params.mode }}" }\n', 'include: [lib/a.yaml]\n'),
        'lib/a.yaml':
          'include: ./deep/b.yaml\nparams: { mode: { choices: [fast, slow], default: fast } }\ntasks: { lint: { run: x, needs: [first] } }\n',
        'lib/deep/b.yaml':
          'version: 1\nname: b\ntemplates: { lib: { uses: "./lib.mjs#go" } }\ntasks: { first: { uses: ./lib.mjs } }\nfinally: { clean: { run: y } }\n',
        'lib/deep/lib.mjs': 'export default () => 1; export const go = () => 2;\n',
      },
      { mode: 'slow' },
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    const plan = loaded.value;
    expect(plan.tasks.map(({ id }) => id)).toEqual(['first', 'lint', 'own']);
    expect(plan.finally.map(({ id }) => id)).toEqual(['clean']);
    expect(plan.params).toEqual({ mode: 'slow' });
    const file = join(folder, 'lib/deep/lib.mjs');
    expect(task(plan, 'own').work).toEqual({ kind: 'module', uses: './lib/deep/lib.mjs#go', file, exportName: 'go' });
    expect(task(plan, 'first').work).toMatchObject({ uses: './lib/deep/lib.mjs', file });
    expect(plan.includes.map((included) => included.file)).toEqual(
      ['lib/a.yaml', 'lib/deep/b.yaml'].map((name) => join(folder, name)),
    );
    expect(task(plan, 'lint').range).toMatchObject({ line: 3 });
  });

  it('may hold all tasks of a plan, and is read once by whatever ways it is included', () => {
    const { loaded } = load({
      'plan.yaml': 'version: 1\nname: x\ninclude: [a.yaml, b.yaml]\n',
      'a.yaml': 'include: [d.yaml]\n',
      'b.yaml': 'include: [./sub/../d.yaml]\n',
      'd.yaml': 'tasks: { t: { run: x } }\n',
      'sub/empty': '',
    });
    expect(loaded.ok && loaded.value.tasks.map(({ id }) => id)).toEqual(['t']);
  });

  it('has its mistakes told by its own name, line and column, with those of the plan', () => {
    const { loaded, ranges } = load({
      'plan.yaml': planOf('  t: { run: x, needs: [«lnt»] }\n', 'include: [lib/a.yaml]\n'),
      'lib/a.yaml': `# a comment
tasks:
  lint:
    «rum»: x
    run: [echo, "\${{ «nope» }}"]
    needs: [«t2»]
  m: { uses: «./gone.mjs», timeout: «5» }
  s: { run: "echo «\${{ item }}»" }
«agents»: 5
«env»: { A: b }
`,
    });
    const [plan, lib] = [ranges['plan.yaml'] ?? [], ranges['lib/a.yaml'] ?? []];
    const codes = ['UNKNOWN-KEY', 'EXPRESSION', 'NEEDS', 'MODULE', 'TYPE', 'SHELL-TEMPLATE', 'INCLUDE', 'INCLUDE'];
    expect(found(loaded)).toEqual([
      { code: 'PLAN-NEEDS', file: 'plan.yaml', range: plan[0] },
      ...codes.map((code, i) => ({ code: `PLAN-${code}`, file: 'lib/a.yaml', range: lib[i] })),
    ]);
  });

  it('is read as it was, where a run kept it', () => {
    const { folder, loaded } = load({
      'plan.yaml': planOf('  t: { run: x }\n', 'include: [a.yaml]\n'),
      'a.yaml': 'include: [b.yaml]\ntasks: { old: { run: x } }\n',
      'b.yaml': 'version: 1\n',
    });
    if (!loaded.ok) throw new Error('it is valid');
    const { file, text, includes } = loaded.value;
    writeFiles(folder, { 'a.yaml': 'tasks: { new: { run: x } }\n' });
    rmSync(join(folder, 'b.yaml'));
    const again = parsePlan(text, { file, includes });
    expect(again.ok && again.value.tasks.map(({ id }) => id)).toEqual(['old', 't']);
  });

  it('may not give a name that is given already; both places are told', () => {
    const { loaded, ranges } = load({
      'plan.yaml': planOf('  «t»: { run: x }\n', 'include: [a.yaml, b.yaml]\nparams: { «p»: { default: x } }\n'),
      'a.yaml': 'tasks: { «t»: { run: y } }\ntemplates: { «s»: { run: y } }\n',
      'b.yaml': 'params: { «p»: { default: y } }\ntemplates: { «s»: { run: y } }\n',
    });
    const [plan = [], a = [], b = []] = [ranges['plan.yaml'], ranges['a.yaml'], ranges['b.yaml']];
    const clashes = (loaded.ok ? [] : loaded.error).map(({ code, file, range, related }) => ({ code, file, range, related }));
    const first = (name: string, file: string, range: unknown) => [{ message: `'${name}' was given here first`, file, range }];
    expect(clashes).toEqual([
      { code: 'PLAN-NAME', file: 'plan.yaml', range: plan[0], related: first('p', 'b.yaml', b[0]) },
      { code: 'PLAN-NAME', file: 'plan.yaml', range: plan[1], related: first('t', 'a.yaml', a[0]) },
      { code: 'PLAN-NAME', file: 'b.yaml', range: b[1], related: first('s', 'a.yaml', a[1]) },
    ]);
  });

  it('may not lead back to itself; every step of the circle is told', () => {
    const { loaded, ranges } = load({
      'plan.yaml': planOf('  t: { run: x }\n', 'include: [«sub/a.yaml»]\n'),
      'sub/a.yaml': 'include:\n  - «../sub/b.yaml»\n',
      'sub/b.yaml': 'include: [«../plan.yaml»]\n',
    });
    expect(found(loaded)).toEqual([{ code: 'PLAN-INCLUDE', file: 'sub/b.yaml', range: ranges['sub/b.yaml']?.[0] }]);
    expect(loaded.ok ? [] : loaded.error[0]?.related).toEqual([
      { message: "'plan.yaml' includes 'sub/a.yaml'", file: 'plan.yaml', range: ranges['plan.yaml']?.[0] },
      { message: "'sub/a.yaml' includes 'sub/b.yaml'", file: 'sub/a.yaml', range: ranges['sub/a.yaml']?.[0] },
      { message: "'sub/b.yaml' includes 'plan.yaml'", file: 'sub/b.yaml', range: ranges['sub/b.yaml']?.[0] },
    ]);
  });

  it('may not lead back to itself by another name either', () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': planOf('  t: { run: x }\n', 'include: [link.yaml]\n') });
    symlinkSync('plan.yaml', join(folder, 'link.yaml'));
    const loaded = loadPlan(join(folder, 'plan.yaml'), { displayName: 'plan.yaml' });
    expect(loaded.ok ? '' : loaded.error.map((one) => one.message)).toEqual([
      'files include each other in a circle: plan.yaml → plan.yaml',
    ]);
  });

  it('with broken YAML keeps its own mistakes, and what may follow from them is left out', () => {
    const { loaded, ranges } = load({
      'plan.yaml': planOf('  t: { run: x, needs: [lint], «needz»: 1 }\n', 'include: [a.yaml]\n'),
      'a.yaml': 'tasks:\n  lint: { run: «"»x }\n',
    });
    expect(found(loaded)).toEqual([
      { code: 'PLAN-UNKNOWN-KEY', file: 'plan.yaml', range: ranges['plan.yaml']?.[0] },
      { code: 'PLAN-YAML', file: 'a.yaml', range: ranges['a.yaml']?.[0] },
    ]);
  });

  it('may be empty of everything, but not empty', () => {
    const { loaded } = load({
      'plan.yaml': planOf('  t: { run: x }\n', 'include: [a.yaml, b.yaml]\n'),
      'a.yaml': '',
      'b.yaml': 'version: 1\n',
    });
    expect(found(loaded)).toEqual([
      { code: 'PLAN-EMPTY', file: 'a.yaml', range: { line: 1, column: 1, endLine: 1, endColumn: 1 } },
    ]);
  });
});
