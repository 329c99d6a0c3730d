import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { linesOf } from '../support/processes.js';
import { tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: weights\nbackup: none\nagents: 4\n';
const ITEMS = JSON.stringify(Array.from({ length: 30 }, (_, i) => i));

/** Runs a plan; what its subtasks wrote to `order`. */
async function orderOf(plan: string): Promise<readonly string[]> {
  const folder = tempFolder();
  writeFiles(folder, { 'plan.yaml': `${HEAD}${plan}`, order: '' });
  const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '1ms'], { cwd: folder });
  expect(done.code, done.text).toBe(0);
  return linesOf(`${folder}/order`);
}

async function problemsOf(plan: string, ...args: readonly string[]): Promise<string> {
  const folder = tempFolder();
  writeFiles(folder, {
    'plan.yaml': `${HEAD}${plan}`,
    'more.yaml': 'tasks: { more: { run: "true", pool: { name: a, weight: 3 } } }\n',
  });
  const done = await waveplan(['run', 'plan.yaml', '--yes', ...args], { cwd: folder });
  expect(done.code, done.text).toBe(2);
  return done.stderr;
}

describe('a heavy subtask and many light ones in one pool', () => {
  it.each([
    // It becomes ready when light ones have both slots, and the path behind it is the longest.
    `sync: eager
pools: { a: 2 }
tasks:
  prep: { run: 'until [ "$(wc -l < order)" -ge 4 ]; do sleep 0.01; done; : > ready' }
  light: { foreach: ${ITEMS}, pool: a, run: 'echo light >> order; [ "$INDEX" -lt 4 ] || until [ -e ready ]; do sleep 0.01; done' }
  heavy: { needs: [prep], pool: { name: a, weight: 2 }, run: 'echo heavy >> order', estimate: 10s }
  after: { needs: [heavy], run: 'true', estimate: 10s }
`,
    // No path is longer than another, and it is the last in the plan.
    `pools: { a: 2 }
tasks:
  light: { foreach: ${ITEMS}, pool: a, run: 'echo light >> order' }
  heavy: { pool: { name: a, weight: 2 }, run: 'echo heavy >> order' }
`,
    `pools: { a: { max: 2, rate: 200/s } }
tasks:
  light: { foreach: ${ITEMS}, pool: a, run: 'echo light >> order' }
  heavy: { pool: { name: a, weight: 2 }, run: 'echo heavy >> order' }
`,
  ])('starts long before the last of them: %s', async (plan) => {
    const order = await orderOf(plan);
    expect(order).toHaveLength(31);
    expect(order.indexOf('heavy')).toBeLessThan(15);
  });
});

describe('a weight above the size of its pool', () => {
  it('is a mistake in the plan, with its place, also in a file that is included', async () => {
    const own = await problemsOf('pools: { a: 4 }\ntasks: { t: { run: "true", pool: { name: a, weight: 9 } } }\n');
    expect(own).toContain("plan.yaml:6:53 PLAN-VALUE 'weight' is 9, and pool 'a' has room for 4");
    expect(own).toContain('hint: lower the weight to 4 or less');
    expect(own).toContain("plan.yaml:5:13 the size of 'a' is here");
    const included = await problemsOf('include: [more.yaml]\npools: { a: 2 }\ntasks: { t: { run: "true" } }\n');
    expect(included).toMatch(/more\.yaml:1:\d+ PLAN-VALUE 'weight' is 3, and pool 'a' has room for 2/);
  });
});
