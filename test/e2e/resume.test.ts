import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { linesOf } from '../support/processes.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const RUN = ['run', 'plan.yaml', '--yes', '-j', '1', '--overhead', '1ms'];

describe('a param that holds a secret', () => {
  const TOKEN = 'sk-5f2b9c71';
  const PLAN = `version: 1
name: secret
backup: none
secrets: [API_TOKEN]
params: { token: {}, header: { default: none } }
tasks:
  first: { run: 'echo first >> log; printf %s "$PARAM_token $PARAM_header" >> told' }
  last: { needs: [first], run: 'echo last >> log; printf %s "$PARAM_token $PARAM_header" >> told; [ -e go ]' }
`;
  const env = { API_TOKEN: TOKEN };
  const resume = (folder: string, ...args: readonly string[]) =>
    waveplan(['resume', '--resume-failed', ...args], { cwd: folder, env });

  it('comes from the environment again when its run goes on', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': PLAN });
    expect((await waveplan([...RUN, '--param', `token=${TOKEN}`], { cwd: folder, env })).code).toBe(1);
    const manifest = () => readFileSync(join(onlyRun(folder), 'manifest.json'), 'utf8');
    expect(manifest()).not.toContain(TOKEN);
    const status = await waveplan(['status', '--json'], { cwd: folder, env });
    expect(JSON.parse(status.stdout).tasks[0]).toMatchObject({ task: 'first', succeeded: 1 });
    writeFiles(folder, { go: '', told: '' });
    const resumed = await resume(folder);
    expect(resumed.code, resumed.text).toBe(0);
    expect(readFileSync(join(folder, 'told'), 'utf8')).toBe(`${TOKEN} none`);
    expect(linesOf(join(folder, 'log'))).toEqual(['first', 'last', 'last']);
    expect(manifest()).not.toContain(TOKEN);
  });

  it('is asked for where only a part of it is one, and its mask is never used', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': PLAN });
    const header = `Bearer ${TOKEN}`;
    const args = ['--param', 'token=x', '--param', `header=${header}`];
    expect((await waveplan([...RUN, ...args], { cwd: folder, env })).code).toBe(1);
    writeFiles(folder, { go: '', told: '' });
    for (const also of [[], ['--dry-run']]) {
      const refused = await resume(folder, ...also);
      expect(refused.code, refused.text).toBe(2);
      expect(refused.stderr).toMatch(
        /a secret is kept nowhere: the value of param header\n {2}pass it again: .* --param header=…\n/,
      );
    }
    expect((await resume(folder, '--param', 'token=y')).stderr).toContain('only what holds a secret may be given: header');
    const resumed = await resume(folder, '--param', `header=${header}`);
    expect(resumed.code, resumed.text).toBe(0);
    expect(readFileSync(join(folder, 'told'), 'utf8')).toBe(`x ${header}`);
    expect(linesOf(join(folder, 'log'))).toEqual(['first', 'last', 'last']);
    expect(resumed.text).not.toContain(TOKEN);
  });
});

describe('a module that changed', () => {
  const FILES = {
    'plan.yaml': `version: 1
name: mended
backup: none
tasks:
  each: { foreach: [1, 2, 3], uses: ./each.mjs }
  sum: { needs: [each], run: [echo, "\${{ string(size(tasks.each.results)) }}"] }
`,
    'each.mjs':
      "import { most } from './most.mjs'; export default (_, { item }) => { if (item > most) throw new Error('much'); return 'old'; };",
    'most.mjs': 'export const most = 2;',
  };
  const results = (folder: string) =>
    checkpointsOf(onlyRun(folder)).flatMap((one) =>
      one.task_id.startsWith('each') && one.status === 'success' ? [one.results] : [],
    );

  it('mends what is left; what it finished counts, which is said, and runs again when that is asked for', async () => {
    const folder = tempFolder();
    writeFiles(folder, FILES);
    expect((await waveplan(RUN, { cwd: folder })).code).toBe(1);
    const same = await waveplan(['resume', '--resume-failed', '--dry-run'], { cwd: folder });
    expect(same.stderr).toBe('');
    writeFiles(folder, { 'most.mjs': 'export const most = 9;' });
    const told = /the module .*each\.mjs, or what it imports, changed .*: what each finished with it counts; .* --again each/;
    const dry = await waveplan(['resume', '--resume-failed', '--dry-run'], { cwd: folder });
    expect(dry.stderr).toMatch(told);
    const mended = await waveplan(['resume', '--resume-failed'], { cwd: folder });
    expect(mended.code, mended.text).toBe(0);
    expect(mended.text.replace(/\s*║\s*║?\s*/g, ' ')).toMatch(/changed since the run was last at work/);
    expect(results(folder)).toEqual(['old', 'old', 'old']);

    writeFiles(folder, { 'each.mjs': "export default () => 'new';" });
    const again = await waveplan(['resume', '--again', 'each'], { cwd: folder });
    expect(again.code, again.text).toBe(0);
    expect(results(folder)).toEqual(['old', 'old', 'old', 'new', 'new', 'new']);
    expect(again.text).toContain('that was asked for');
    const unknown = await waveplan(['resume', '--again', 'eech'], { cwd: folder });
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("did you mean 'each'?")]);
  });
});
