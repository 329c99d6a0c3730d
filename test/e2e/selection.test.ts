import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository } from '../support/repository.js';

const PLAN = `version: 1
name: x
backup: none
tasks:
  list: { run: [echo, list] }
  build:
    needs: [list]
    foreach: { matrix: { os: [linux, mac], node: [20, 22] } }
    run: echo "$ITEM_os $ITEM_node"
  lint: { run: [echo, lint] }
  sum: { needs: [build, lint], run: [echo, "\${{ tasks.build.results.map(r, r.stdout.trim()).join(', ') }}"] }
`;

async function run(...args: readonly string[]) {
  const folder = repository({ 'plan.yaml': PLAN });
  const done = await waveplan(['run', 'plan.yaml', '--yes', ...args], { cwd: folder });
  const ids = () => checkpointsOf(onlyRun(folder)).map(({ task_id }) => task_id);
  return { folder, done, ids };
}

describe('a part of a plan', () => {
  it('--until runs a task with all that it needs, --only just what is named', async () => {
    const until = await run('--until', 'build');
    expect(until.done.code, until.done.text).toBe(0);
    expect(until.ids().sort()).toEqual(['build[0]', 'build[1]', 'build[2]', 'build[3]', 'list']);
    const only = await run('--only', 'lint,list');
    expect(only.done.code, only.done.text).toBe(0);
    expect(only.ids().sort()).toEqual(['lint', 'list']);
    const manifest = JSON.parse(readFileSync(join(onlyRun(only.folder), 'manifest.json'), 'utf8'));
    expect(manifest.selection).toEqual({ only: ['lint', 'list'] });
  });

  it('--filter runs the items that match, and what comes after sees their results alone', async () => {
    const { done, folder } = await run('--filter', 'item.os=l*', '--filter', 'build:item.node!=22');
    expect(done.code, done.text).toBe(0);
    const results = new Map(checkpointsOf(onlyRun(folder)).map((one) => [one.task_id, one.results]));
    expect([...results.keys()].sort()).toEqual(['build[0]', 'lint', 'list', 'sum']);
    expect(results.get('sum')).toMatchObject({ stdout: 'linux 20\n' });
  });

  it('is told where no item matches, and is done', async () => {
    const { done } = await run('--until', 'build', '--filter', 'item.os=bsd');
    expect(done.code).toBe(0);
    expect(done.text).toContain("no item of task 'build' passes --filter item.os=bsd");
  });

  it('is shown by plan', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const planned = await waveplan(
      ['plan', 'plan.yaml', '--until', 'build', '--filter', 'item.node=20', '--json', '--overhead', '1s'],
      { cwd: folder },
    );
    expect(planned.code, planned.text).toBe(0);
    expect(JSON.parse(planned.stdout)).toMatchObject({ subtasks: 3, totalWaves: 2 });
  });

  it.each([
    [
      ['--only', 'sum'],
      "waveplan: --only: task 'sum' reads results of 'build', which would not run\n  add what it reads: --only build,sum; or run all that it needs: --until sum\n",
    ],
    [
      ['--only', 'lnt,zzz'],
      "waveplan: --only: there is no task 'lnt'\n  did you mean 'lint'?\nwaveplan: --only: there is no task 'zzz'\n  the tasks are list, build, lint, sum\n",
    ],
    [['--filter', 'biuld:item=x'], "waveplan: --filter biuld:item=x: there is no task 'biuld'\n  did you mean 'build'?\n"],
    [['--only', 'lint', '--until', 'sum'], 'cannot be used with'],
    [['--filter', 'os=x'], 'write it as item=GLOB'],
    [['--only', 'a,,b'], 'write names of tasks with commas'],
  ])('is refused with exit 2: %j', async (args, says) => {
    const { done, ids } = await run(...args);
    expect(done.code).toBe(2);
    expect(done.stderr).toContain(says);
    expect(ids).toThrow();
  });
});
