import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEM_CODES } from '../../src/plan/codes.js';
import { PROJECT, waveplan } from '../support/cli.js';
import { checkpointsOf, git, onlyRun, repository } from '../support/repository.js';

const README = readFileSync(join(PROJECT, 'README.md'), 'utf8');

/** The fenced blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text ?? '');
}

describe('the README', () => {
  it('opens with the two commands', () => {
    expect(blocks('sh')[0]).toMatch(/^npm ci && npm start.*\nnpm ci && npm test/);
  });

  it('has a first plan that runs as it stands, and the commands around it work', async () => {
    const plan = blocks('yaml')[0] ?? '';
    const folder = repository({ 'plan.yaml': plan, 'a.txt': 'one\ntwo\n', 'name with $(spaces).txt': 'three\n' });
    for (const args of [['validate', 'plan.yaml'], ['plan', 'plan.yaml'], ['run', 'plan.yaml', '--yes'], ['restore']]) {
      const done = await waveplan(args, { cwd: folder });
      expect(done.code, done.text).toBe(0);
    }
    const results = new Map(checkpointsOf(onlyRun(folder)).map(({ task_id, results }) => [task_id, results]));
    expect(results.get('total')).toMatchObject({ stdout: '3 files counted\n' });
    expect(results.get('count[0]')).toMatchObject({ stdout: '2\n' });
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });

  it('shows a plan error as it is printed', async () => {
    const plan = (blocks('yaml')[0] ?? '').replace('needs: [list]', 'needs: [lst]');
    const folder = repository({ 'plan.yaml': plan });
    const done = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    const shown = blocks('text').find((text) => text.includes('PLAN-NEEDS')) ?? 'not shown';
    expect(done.stderr).toContain(shown);
  });

  it('lists every code of a plan error, with what it means', () => {
    const listed = Object.fromEntries(
      [...README.matchAll(/^\| `PLAN-([A-Z-]+)` +\| (.*) \|$/gm)].map(([, code, text]) => [code, text?.trim()]),
    );
    expect(listed).toEqual({ ...PROBLEM_CODES });
  });

  it('names every option of every verb', async () => {
    for (const verb of ['run', 'plan', 'validate', 'prompts', 'restore', 'scale']) {
      const help = await waveplan([verb, '--help'], { cwd: PROJECT });
      const options = [...help.stdout.matchAll(/--[a-z-]+/g)].map(([option]) => option).filter((option) => option !== '--help');
      expect(options.length).toBeGreaterThan(2);
      for (const option of options) expect(README, `${verb} ${option}`).toContain(option);
    }
  });
});
