import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDiagnostics } from '../../../src/report/diagnostics.js';
import { diagnose } from './marked-plan.js';

const GOOD = `version: 1
name: x
params: { root: { type: string, default: media, choices: [media, other] } }
secrets: [TOKEN]
templates:
  base: { timeout: 1s, env: { A: b }, retries: { max: 1 } }
  more: { template: base, run: [echo, "\${{ item.os }}"], env: { B: c } }
env: &env { A: b }
defaults: { retries: { max: 2, backoff: 200ms }, timeout: 5m }
tasks:
  scan:
    run: [ls, "\${{ params.root }}"]
    output: lines
  rename:
    needs: [scan]
    foreach: "\${{ tasks.scan.results.stdout }}"
    uses: ./tasks/rename.ts
    with: { file: "\${{ item }}", text: 'it''s' }
    success: ["results.ok", results.n > 1]
    env: *env
  cross:
    template: more
    foreach: { matrix: { os: [linux, mac], n: "\${{ [1, 2] }}", exclude: [{ os: mac }], include: [{ os: bsd, x: 1 }] } }
  rows: { foreach: { file: "\${{ params.root }}.csv", format: csv }, run: "true", if: item.a == 'b' }
  lint:
    needs:
      - rename
    run: |
      npm run
        lint
finally: { cleanup: { run: "rm \\"tmp\\"", if: "\\u0031 == 1" } }
`;

/** Whatever the text: no exception, and every place lies in it. */
function holds(text: string): void {
  const lines = text.split('\n');
  const found = diagnose(text);
  for (const { code, message, range, related } of found) {
    expect(code).toMatch(/^PLAN-[A-Z-]+$/);
    expect(message).not.toMatch(/Internal error|undefined|\[object/);
    for (const place of [range, ...related.map((one) => one.range)]) {
      if (place === undefined) continue;
      const { line, column, endLine, endColumn } = place;
      expect(line >= 1 && endLine >= line && endLine <= lines.length).toBe(true);
      expect(column >= 1 && column <= (lines[line - 1] ?? '').length + 1).toBe(true);
      expect(endColumn >= 1 && endColumn <= (lines[endLine - 1] ?? '').length + 1).toBe(true);
      expect(endLine > line || endColumn >= column).toBe(true);
    }
  }
  expect(formatDiagnostics(found, () => text, { color: false })).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
}

const FRAGMENTS = [
  'version: 1',
  'name: x',
  'tasks:',
  'run: x',
  'needs: [a]',
  'foreach:',
  'with: ',
  'finally:',
  'if: ',
  'env: {A: 1}',
  '${{ item }}',
  '${{',
  '}}',
  'tasks.a.results',
  '\n',
  '\n  ',
  '\n    ',
  '\n- ',
  ': ',
  ' - ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '"',
  "'",
  '|',
  '>',
  '&a',
  '*a',
  '<<',
  '!x',
  '#',
  '?',
  'template: base',
  'include: ',
  'matrix: ',
  'exclude: ',
  'file: a.csv',
  'choices: ',
  'secrets: ',
  'item.os',
  '%',
  '@',
  '`',
  '\t',
  '\\',
  '\u0000',
  '\u001b[31m',
  '\u202e',
  '---\n',
  '...\n',
  '日本',
  '😀',
  '\ud800',
  '__proto__',
  'constructor',
  'null',
  '1e999',
  '0x',
  '~',
  'a',
  'b',
  '\r\n',
  '\ufeff',
  '5m',
  '-1',
  'true',
];

describe('no text makes parsePlan throw', () => {
  it('any characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), holds), { numRuns: 300 });
  });

  it('what looks like YAML', () => {
    const text = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, holds), { numRuns: 750 });
  });

  it('a good plan with pieces cut out, doubled, and put in', () => {
    expect(diagnose(GOOD)).toEqual([]);
    const change = fc.record({
      at: fc.nat(GOOD.length),
      cut: fc.nat(12),
      put: fc.constantFrom('', ...FRAGMENTS),
      again: fc.boolean(),
    });
    const mutated = fc
      .array(change, { minLength: 1, maxLength: 4 })
      .map((changes) =>
        changes.reduce(
          (text, { at, cut, put, again }) =>
            text.slice(0, at) + put + (again ? text.slice(at, at + cut) : '') + text.slice(again ? at : at + cut),
          GOOD,
        ),
      );
    fc.assert(fc.property(mutated, holds), { numRuns: 500 });
  });

  it('a good plan cut at every place', () => {
    for (let length = 0; length < GOOD.length; length += 1) holds(GOOD.slice(0, length));
  });

  it('any JSON under any key', () => {
    const keys = [
      'version',
      'name',
      'tasks',
      'finally',
      'params',
      'env',
      'limits',
      'defaults',
      'agents',
      'request',
      'retries',
      'foreach',
      'run',
      'uses',
      'with',
      'needs',
      'if',
      'success',
      'timeout',
      'cwd',
      'include',
      'templates',
      'template',
      'choices',
      'default',
      'secrets',
      'matrix',
      'exclude',
      'file',
      'format',
    ];
    const key = fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 5 }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ maxLength: 8 }),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        tie('list'),
        tie('object'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    }));
    const plan = fc
      .dictionary(key, value, { maxKeys: 8 })
      .map((object) => JSON.stringify({ version: 1, name: 'x', tasks: { t: object }, ...object }));
    fc.assert(fc.property(plan, holds), { numRuns: 250 });
  });
});
