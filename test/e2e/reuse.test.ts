import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository } from '../support/repository.js';

describe('a plan of several files', () => {
  it('runs with the modules and templates of each, and keeps what it was made of', async () => {
    const folder = repository({
      'plans/plan.yaml': `version: 1
name: parts
backup: none
include: [shared/lib.yaml]
tasks:
  shout: { template: say, with: "\${{ params.word }}" }
  quiet: { needs: [first], template: say, run: [echo, "\${{ tasks.first.results }}"] }
`,
      'plans/shared/lib.yaml': `params: { word: { choices: [hello, bye], default: hello } }
templates: { say: { uses: ./say.mjs, timeout: 1m } }
tasks: { first: { template: say, with: first } }
`,
      'plans/shared/say.mjs': 'export default (word) => word.toUpperCase();\n',
    });
    const done = await waveplan(['run', 'plans/plan.yaml', '--yes', '--param', 'word=bye'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    const results = new Map(checkpointsOf(onlyRun(folder)).map((one) => [one.task_id, one.results]));
    expect(results.get('shout')).toBe('BYE');
    expect(results.get('quiet')).toMatchObject({ stdout: 'FIRST\n' });
    const kept = JSON.parse(readFileSync(join(onlyRun(folder), 'includes.json'), 'utf8'));
    expect(kept).toEqual([{ file: '../plans/shared/lib.yaml', text: expect.stringContaining('choices') }]);
    const wrong = await waveplan(['run', 'plans/plan.yaml', '--yes', '--param', 'word=by'], { cwd: folder });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/^plans\/shared\/lib\.yaml:1:11 PLAN-PARAM --param word=by: must be one of hello, bye$/m);
  });
});
