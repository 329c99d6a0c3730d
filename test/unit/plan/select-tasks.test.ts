import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../src/graph/compile-graph.js';
import type { JsonValue } from '../../../src/model/json.js';
import { itemPasses, parseItemFilter, writtenFilter } from '../../../src/plan/item-filter.js';
import { selectTasks } from '../../../src/plan/select-tasks.js';
import type { Selection } from '../../../src/plan/valid-plan.js';
import { overList, planOf, taskOf } from '../../support/plans.js';

const PLAN = {
  ...planOf([
    { id: 'scan' },
    { id: 'sort', needs: ['scan'] },
    { id: 'rename', needs: ['sort'], reads: ['scan'], ...overList(3) },
    { id: 'lint' },
    { id: 'report', needs: ['rename', 'lint'] },
  ]),
  finally: [taskOf({ id: 'clean' })],
};

function select(selection: Selection) {
  const selected = selectTasks(PLAN, selection);
  return selected.ok
    ? selected.value.tasks.map(({ id, needs }) => `${id} after ${needs.join(' ')}`.trim())
    : selected.error.map(({ message, hint }) => `${message} (${hint})`);
}

const filter = (text: string) => {
  const parsed = parseItemFilter(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

describe('selectTasks', () => {
  it('takes tasks with all that they need, in the order of the plan', () => {
    expect(select({ until: ['lint', 'rename'] })).toEqual(['scan after', 'sort after scan', 'rename after sort', 'lint after']);
  });

  it('takes just the tasks that are named, and keeps the order that others stood between', () => {
    expect(select({ only: ['report', 'scan'] })).toEqual(['scan after', 'report after scan']);
    expect(select({ only: ['lint'] })).toEqual(['lint after']);
  });

  it('counts what a task follows item by item as read, and filters it by what it follows', () => {
    const plan = planOf([
      { id: 'a', ...overList(2) },
      { id: 'b', needs: ['a'], foreach: { kind: 'each', task: 'a' } },
    ]);
    const only = selectTasks(plan, { only: ['b'] });
    expect(only.ok ? '' : only.error[0]?.message).toContain("task 'b' reads results of 'a'");
    const named = selectTasks(plan, { filters: [filter('b:item=1')] });
    expect(named.ok ? '' : named.error[0]).toEqual({
      message: "--filter b:item=1: task 'b' follows 'a' item by item",
      hint: 'filter a:item',
    });
    const all = selectTasks(plan, { filters: [filter('item=1')] });
    expect(all.ok && all.value.tasks.map(({ filters }) => filters?.length)).toEqual([1, undefined]);
  });

  it('keeps what always runs', () => {
    const selected = selectTasks(PLAN, { only: ['lint'] });
    expect(selected.ok && selected.value.finally.map(({ id }) => id)).toEqual(['clean']);
  });

  it.each<[Selection, readonly string[]]>([
    [
      { only: ['rename'] },
      [
        "--only: task 'rename' reads results of 'scan', which would not run (add what it reads: --only scan,rename; or run all that it needs: --until rename)",
      ],
    ],
    [
      { only: ['lnt', 'zzz'] },
      [
        "--only: there is no task 'lnt' (did you mean 'lint'?)",
        "--only: there is no task 'zzz' (the tasks are scan, sort, rename, lint, report)",
      ],
    ],
    [{ until: ['clean'] }, ["--until: 'clean' stands under 'finally', which always runs (undefined)"]],
    [{ filters: [filter('renam:item=a')] }, ["--filter renam:item=a: there is no task 'renam' (did you mean 'rename'?)"]],
    [{ filters: [filter('scan:item=a')] }, ["--filter scan:item=a: task 'scan' has no 'foreach' (undefined)"]],
    [{ only: ['lint'], filters: [filter('item=a')] }, ["--filter item=a: no task that would run has a 'foreach' (undefined)"]],
    [
      { only: ['lint'], filters: [filter('rename:item=a')] },
      ["--filter rename:item=a: task 'rename' would not run (select it too)"],
    ],
  ])('refuses %j', (selection, says) => {
    expect(select(selection)).toEqual(says);
  });

  it('gives filters to the fan-outs that they are for', () => {
    const selected = selectTasks(PLAN, { filters: [filter('rename:item=1'), filter('item=2')] });
    const tasks = selected.ok ? selected.value.tasks : [];
    expect(tasks.map((task) => task.filters?.map(writtenFilter))).toEqual([
      undefined,
      undefined,
      ['rename:item=1', 'item=2'],
      undefined,
      undefined,
    ]);
  });

  it('keeps every order between tasks that are left, whatever the graph', () => {
    const graph = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 10 }).map((needs) =>
      planOf(
        needs.map((list, i) => ({
          id: `t${i}`,
          needs: [...new Set(list.filter((need) => need < i))].map((need) => `t${need}`),
        })),
      ),
    );
    fc.assert(
      fc.property(graph, fc.array(fc.nat(9)), (plan, picks) => {
        const ancestry = (tasks: typeof plan.tasks) => {
          const ancestors = new Map<string, Set<string>>();
          for (const { id, needs } of tasks)
            ancestors.set(id, new Set(needs.flatMap((need) => [need, ...(ancestors.get(need) ?? [])])));
          return ancestors;
        };
        const only = [...new Set(picks)].map((pick) => `t${pick}`).filter((id) => plan.tasks.some((task) => task.id === id));
        const selected = selectTasks(plan, { only });
        if (!selected.ok) throw new Error('nothing is wrong with it');
        const whole = ancestry(plan.tasks);
        const part = ancestry(selected.value.tasks);
        for (const id of only)
          expect([...(part.get(id) ?? [])].sort()).toEqual(
            [...(whole.get(id) ?? [])].filter((need) => only.includes(need)).sort(),
          );
        expect(compileGraph(selected.value).nodes).toHaveLength(only.length);
      }),
    );
  });
});

describe('--filter', () => {
  it.each<[string, JsonValue, boolean]>([
    ['item=a.jpg', 'a.jpg', true],
    ['item=*.jpg', 'x/y/a.jpg', true],
    ['item=*.jpg', 'a.jpeg', false],
    ['item=?.jpg', 'ab.jpg', false],
    ['item=a', 'ab', false],
    ['item=\\*', '*', true],
    ['item=\\*', 'a', false],
    ['item=**a**', 'bab', true],
    ['item=', '', true],
    ['item=a\n*', 'a\nb', true],
    ['item=?', '😀', true],
    ['item=42', 42, true],
    ['item=true', true, true],
    ['item=null', null, true],
    ['item=*', { a: 1 }, true],
    ['item={"a":1}', { a: 1 }, true],
    ['item.os=linux', { os: 'linux' }, true],
    ['item.os=linux', { os: 'mac' }, false],
    ['item.os=*', {}, false],
    ['item.os=*', 'linux', false],
    ['item.user.id=7', { user: { id: 7 } }, true],
    ['item.list.1=b', { list: ['a', 'b'] }, true],
    ['item.list.length=2', { list: ['a', 'b'] }, false],
    ['item.__proto__=*', { a: 1 }, false],
    ['item.node-version=20', { 'node-version': 20 }, true],
    ['item!=a', 'b', true],
    ['item!=a*', 'ab', false],
    ['item.os!=mac', {}, true],
    ['item=a=b', 'a=b', true],
  ])('%s of %j: %s', (text, item, passes) => {
    expect(itemPasses([filter(text)])(item)).toBe(passes);
    expect(writtenFilter(filter(text))).toBe(text);
  });

  it('takes filters of one place as alternatives, and of several places together', () => {
    const passes = itemPasses(['item.os=linux', 'item.os=mac', 'item.node=2*', 'item.os!=m*', 'item.x!=1'].map(filter));
    const item = (os: string, node: number, x = 0) => ({ os, node, x });
    expect(
      [item('linux', 20), item('mac', 20), item('linux', 18), item('bsd', 20), item('linux', 20, 1)].map((one) => passes(one)),
    ).toEqual([true, false, false, false, false]);
  });

  it.each(['', 'item', 'items=a', 'item.=a', 'os=linux', ':item=a', 'a b:item=c'])('refuses %j', (text) => {
    expect(parseItemFilter(text)).toMatchObject({ ok: false });
  });
});
