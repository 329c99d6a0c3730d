import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository } from '../support/repository.js';

/** Runs a plan of the given tasks in a repository of its own. */
async function run(tasks: string, files: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  const folder = repository({ ...files, 'plan.yaml': `version: 1\nname: x\nbackup: none\ntasks:\n${tasks}` });
  const done = await waveplan(['run', 'plan.yaml', '--yes', ...args], { cwd: folder });
  const checkpoints = new Map(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
  const stdout = (id: string) => (checkpoints.get(id)?.results as { readonly stdout: unknown } | undefined)?.stdout;
  return { folder, done, checkpoints, stdout };
}

describe('a fan-out', () => {
  it('over a matrix runs each combination, whose values are fields and variables', async () => {
    const { done, checkpoints, stdout } = await run(`
  build:
    foreach:
      matrix:
        os: [linux, mac]
        node: "\${{ [20, 22] }}"
        exclude: [{ os: mac, node: 20 }]
        include: [{ os: mac, slow: true }, { os: bsd, node: 18 }]
    run: echo "$ITEM_os-$ITEM_node-$ITEM_slow"
  show:
    needs: [build]
    foreach: { matrix: { n: "\${{ tasks.build.results.map(r, r.stdout.trim()) }}", m: [a] } }
    run: [echo, "\${{ item.n + item.m }}"]
`);
    expect(done.code, done.text).toBe(0);
    const shown = ['linux-20-', 'linux-22-', 'mac-22-true', 'bsd-18-'];
    expect([0, 1, 2, 3].map((i) => stdout(`build[${i}]`))).toEqual(shown.map((text) => `${text}\n`));
    expect([0, 1, 2, 3].map((i) => stdout(`show[${i}]`))).toEqual(shown.map((text) => `${text}a\n`));
    expect(checkpoints.size).toBe(8);
  });

  it('over a file reads what an earlier task wrote, in the work folder', async () => {
    const { done, stdout } = await run(
      `
  write:
    run: mkdir -p out && printf 'id,name\\n1,Ada\\n2,"L, A"\\n' > out/users.csv && echo out/users.csv
  each:
    needs: [write]
    foreach: { file: "\${{ tasks.write.results.stdout.trim() }}" }
    run: echo "$ITEM_id is $ITEM_name"
  pairs:
    foreach: { file: data.json }
    batch: 2
    run: [echo, "\${{ size(item) }}"]
  nested:
    needs: [pairs]
    foreach: "\${{ [tasks.pairs.results.map(r, r.stdout), ['x']].flatten() }}"
    run: printf '%s' "$ITEM"
`,
      { 'data.json': '[1, {"a": 2}, 3]' },
    );
    expect(done.code, done.text).toBe(0);
    expect([stdout('each[0]'), stdout('each[1]')]).toEqual(['1 is Ada\n', '2 is L, A\n']);
    expect([stdout('pairs[0]'), stdout('pairs[1]')]).toEqual(['2\n', '1\n']);
    expect([0, 1, 2].map((i) => stdout(`nested[${i}]`))).toEqual(['2\n', '1\n', 'x']);
  });

  it('over a file that is missing or broken fails its task with the place, and what needs it is skipped', async () => {
    const { done, checkpoints } = await run(
      `
  gone: { foreach: { file: gone.csv }, run: "true" }
  broken: { foreach: { file: users.jsonl }, run: "true" }
  after: { needs: [broken], run: "true" }
`,
      { 'users.jsonl': '{"id": 1}\n{"id": 2\n' },
    );
    expect(done.code).toBe(1);
    expect(checkpoints.get('gone')?.error).toEqual({ kind: 'items', message: 'foreach: gone.csv: there is no such file' });
    expect(checkpoints.get('broken')?.error?.message).toMatch(/^foreach: users.jsonl:2:\d+: not JSON: expected/);
    expect(checkpoints.has('after')).toBe(false);
    expect(done.text).toContain('users.jsonl:2');
  });

  it('over nothing is done, and so is what fans out over it', async () => {
    const { done, checkpoints, stdout } = await run(
      `
  none: { foreach: { matrix: { a: [] } }, run: "false" }
  header: { foreach: { file: header.csv }, run: "false" }
  again: { needs: [none], foreach: "\${{ tasks.none.results }}", run: "false" }
  sum: { needs: [again, header], run: [echo, "\${{ size(tasks.again.results) + size(tasks.header.results) }}"] }
`,
      { 'header.csv': 'a,b\n' },
    );
    expect(done.code, done.text).toBe(0);
    expect([...checkpoints.keys()]).toEqual(['sum']);
    expect(stdout('sum')).toBe('0\n');
  });

  it('has its size shown by plan, where it is known before the run', async () => {
    const folder = repository({
      'users.txt': 'a\nb\n\nc\n',
      'plan.yaml': `version: 1
name: x
tasks:
  users: { foreach: { file: users.txt }, run: "true" }
  cross: { foreach: { matrix: { a: [1, 2, 3], b: [1, 2] } }, run: "true" }
  later: { needs: [users], foreach: { file: later.txt }, run: "true" }
`,
    });
    const planned = await waveplan(['plan', 'plan.yaml', '--json', '--overhead', '1s'], { cwd: folder });
    const analysis = JSON.parse(planned.stdout);
    const counts = analysis.waves.flatMap((wave: { tasks: { id: string; subtasks?: number }[] }) =>
      wave.tasks.map(({ id, subtasks }) => [id, subtasks]),
    );
    expect(counts).toEqual([
      ['users', 3],
      ['cross', 6],
      ['later', undefined],
    ]);
    expect(analysis.expanding).toEqual([{ task: 'later', afterWave: 1 }]);
  });
});
