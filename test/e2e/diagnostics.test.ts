import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { script } from '../support/processes.js';
import { tempFolder, writeFiles } from '../support/repository.js';

/** Seven different mistakes; the marks are the lines and the codes that must be printed. */
const PLAN = `version: 1
name: seven mistakes
type: file_operation
tasks:
  scan:
    run: ls
    usess: ./x.ts
  build:
    needs: [scann]
    run: make
  a:
    needs: [b]
    run: 'true'
  b:
    needs: [a]
    run: 'true'
  shell:
    needs: [scan]
    foreach: "\${{ tasks.scan.results. }}"
    run: 'true'
  both:
    run: 'true'
    uses: ./missing.ts
  slow:
    run: 'true'
    timeout: fast
`;

describe('a plan with seven different mistakes', () => {
  it.each(['plan', 'validate', 'run'])('%s prints seven diagnostics with their lines, and exits 2', async (verb) => {
    const folder = tempFolder();
    writeFiles(folder, { 'plans/x.yaml': PLAN });
    const done = await waveplan([verb, 'plans/x.yaml'], { cwd: folder });
    expect(done.code).toBe(2);
    const heads = [...done.stderr.matchAll(/^plans\/x\.yaml:(\d+):(\d+) (PLAN-[A-Z-]+) (.*)$/gm)];
    const lines = heads.map(([, line]) => Number(line));
    expect(
      lines.sort((a, b) => a - b),
      done.stderr,
    ).toEqual([3, 7, 9, expect.any(Number), 19, expect.any(Number), 26]);
    expect([11, 12, 14, 15]).toContain(lines[3]);
    expect([21, 22, 23]).toContain(lines[5]);
    expect(new Set(heads.map(([, , , code]) => code)).size).toBeGreaterThanOrEqual(6);
    expect(done.stderr).toContain("did you mean 'scan'");
    expect(done.stderr).toContain("did you mean 'file_operations'");
    expect(done.stderr).toContain("did you mean 'uses'");
    // Every edge of the cycle, and a caret under each place.
    expect(done.stderr).toMatch(/'?a'? needs '?b'?/);
    expect(done.stderr).toMatch(/'?b'? needs '?a'?/);
    expect(done.stderr.match(/^\s*(\d+ )?\|?\s*\^/gm)?.length ?? 0).toBeGreaterThanOrEqual(7);
  });

  it('refuses a missing file, an unknown verb and a wrong option with exit 2, and no stack', async () => {
    const folder = tempFolder();
    for (const args of [
      ['run', 'none.yaml', '-y'],
      ['nonsense'],
      ['plan'],
      ['scale', '--subtasks', 'many'],
      ['plan', 'x.yaml', '--nonsense'],
    ]) {
      const done = await waveplan(args, { cwd: folder });
      expect(done.code, args.join(' ')).toBe(2);
      expect(done.stderr).not.toMatch(/\n\s+at /);
      expect(done.stderr.length).toBeGreaterThan(10);
    }
  });
});

describe.skipIf(!existsSync('/dev/full'))('output that is lost', () => {
  it.each(['plan plan.yaml --overhead 1ms', 'validate plan.yaml', 'schema', 'completion bash', 'list'])(
    'makes %s exit with 3, and says why',
    async (verb) => {
      const folder = tempFolder();
      writeFiles(folder, { 'plan.yaml': "version: 1\nname: x\ntasks: { a: { run: 'true' } }\n" });
      const done = await script(`$WAVEPLAN ${verb} > /dev/full`, folder);
      expect([done.code, done.stderr]).toEqual([3, expect.stringMatching(/^waveplan: cannot write to standard output: ENOSPC/)]);
    },
  );
});

it('says that the current folder is gone, in words', async () => {
  const folder = tempFolder();
  const done = await script('mkdir gone; cd gone; rmdir ../gone; $WAVEPLAN list', folder);
  expect([done.code, done.stderr]).toEqual([3, expect.stringContaining('waveplan: the current folder is not there any more\n')]);
});
