import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HOSTILE = [
  'with spaces  and   more',
  `quotes ' " \` and \\ backslash`,
  '$(touch pwned)',
  '`touch pwned`',
  '; touch pwned; #',
  'new\nline\n$(touch pwned)\n',
  '-rf',
  '--help',
  '../../x',
  '*',
  '~',
  '%s%n',
  '🌊 größe',
  '',
  'tab\tand\rreturn',
  '$ITEM ${ITEM} ${{ item }}',
];

describe('hostile items', () => {
  it('reach commands and modules literally, by $ITEM and by argv', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'items.mjs': `import { readFileSync } from 'node:fs'; export default () => JSON.parse(readFileSync(new URL('items.json', import.meta.url), 'utf8'));`,
      'items.json': JSON.stringify(HOSTILE),
      'echo.mjs': 'export default (input, context) => ({ input, item: context.item });',
      'argv.mjs': `process.stdout.write(JSON.stringify(process.argv.slice(2)));`,
      'plan.yaml': `version: 1
name: hostile
backup: none
tasks:
  items: { uses: ./items.mjs }
  variable: { needs: [items], foreach: "\${{ tasks.items.results }}", run: 'printf %s "$ITEM" > "out.$INDEX"' }
  field: { needs: [items], foreach: "\${{ tasks.items.results.map(i, {'name': i}) }}", run: 'printf %s "$ITEM_name" > "field.$INDEX"' }
  argv: { needs: [items], foreach: "\${{ tasks.items.results }}", run: [node, argv.mjs, --, "\${{ item }}", "a \${{ item }} b"], output: json }
  module: { needs: [items], foreach: "\${{ tasks.items.results }}", uses: ./echo.mjs, with: { given: "\${{ item }}", inside: "a \${{ item }} b" } }
  listed:
    foreach: ["it's $(touch pwned)", "two\\nlines \\"quoted\\""]
    run: [printf, "%s", "\${{ item }}"]
`,
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-j', '4'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
    const results = new Map(checkpointsOf(onlyRun(folder)).map(({ task_id, results }) => [task_id, results]));
    for (const [i, item] of HOSTILE.entries()) {
      expect(readFileSync(join(folder, `out.${i}`), 'utf8')).toBe(item);
      expect(readFileSync(join(folder, `field.${i}`), 'utf8')).toBe(item);
      expect(results.get(`argv[${i}]`)).toMatchObject({ stdout: ['--', item, `a ${item} b`] });
      expect(results.get(`module[${i}]`)).toEqual({ input: { given: item, inside: `a ${item} b` }, item });
    }
    expect(results.get('listed[0]')).toMatchObject({ stdout: "it's $(touch pwned)" });
    expect(results.get('listed[1]')).toMatchObject({ stdout: 'two\nlines "quoted"' });
  });

  it('refuses an expression inside a command line, and shows the two right ways', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': 'version: 1\nname: x\ntasks:\n  a:\n    foreach: [1]\n    run: echo ${{ item }}\n' });
    const done = await waveplan(['plan', 'plan.yaml'], { cwd: folder });
    expect(done.code).toBe(2);
    expect(done.stderr).toMatch(/plan\.yaml:6:\d+ PLAN-/);
    expect(done.stderr).toContain('$ITEM');
    expect(done.stderr).toMatch(/run: \[/);
  });
});
