import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository, writeFiles } from '../support/repository.js';
import { watching } from '../support/watching.js';

const HEAD = 'version: 1\nname: x\nbackup: none\n';

/** What the report of the only run says of tasks that were skipped as a whole. */
function skippedIn(folder: string): Readonly<Record<string, string>> {
  const report = JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8')) as {
    readonly tasks: readonly { readonly id: string; readonly skippedBecause: string | null }[];
  };
  return Object.fromEntries(
    report.tasks.flatMap(({ id, skippedBecause }) => (skippedBecause === null ? [] : [[id, skippedBecause]])),
  );
}

const PLAN = `${HEAD}params: { go: { type: boolean, default: false } }
tasks:
  scan: { if: params.go, run: seq 3, output: lines }
  work: { needs: [scan], if: "1 == 1", foreach: "\${{ tasks.scan.results.stdout }}", run: 'echo "$ITEM"' }
  after: { needs: [work], run: "true" }
  last: { needs: { after: required }, run: "true" }
  listed: { if: "1 == 2", foreach: [1, 2, 3], run: "true" }
  pairs: { needs: [listed], foreach: { each: listed }, run: "true" }
  never: { if: "1 == 2", foreach: "\${{ tasks.build.results.nothing }}", needs: [build], uses: ./x.mjs }
  build: { uses: ./x.mjs }
  either: { needs: { scan: optional, build: required }, run: [echo, "\${{ tasks.scan.results == null ? 'no scan' : 'a scan' }}"] }
  module: { needs: { scan: optional }, uses: "./x.mjs#results" }
  spread: { needs: { scan: optional }, foreach: "\${{ tasks.scan.results.stdout }}", run: "true" }
  without: { needs: { scan: optional }, foreach: "\${{ tasks.scan.results == null ? ['x'] : tasks.scan.results.stdout }}", run: 'echo "$ITEM"' }
  some: { foreach: [1, 2, 3], if: item > 5, run: "true" }
  count: { needs: [some], run: [echo, "\${{ tasks.some.results.all(r, r == null) ? 'all null' : 'some' }}"] }
  empty: { foreach: "\${{ [] }}", run: "true" }
  behind: { needs: [empty], run: "true" }
finally:
  told: { run: [echo, "\${{ tasks.scan.results == null ? 'null' : 'there' }}"] }
  untold: { if: params.go, run: "false" }
`;
const MODULE = "export default () => ({});\nexport const results = (_, context) => context.results('scan');\n";

const SKIPPED = {
  scan: 'its `if` is false: params.go',
  work: 'scan was skipped',
  after: 'work was skipped',
  last: 'after was skipped',
  listed: 'its `if` is false: 1 == 2',
  pairs: 'listed was skipped',
  never: 'its `if` is false: 1 == 2',
  spread: 'scan was skipped',
};

describe('a task whose `if` is false', () => {
  it.each(['wave', 'eager'])('is skipped before its items are read, and so is what requires it (%s)', async (sync) => {
    const folder = repository({ 'plan.yaml': PLAN, 'x.mjs': MODULE });
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--sync', sync, '--junit', 'junit.xml'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(skippedIn(folder)).toEqual(SKIPPED);
    const results = Object.fromEntries(checkpointsOf(onlyRun(folder)).map((one) => [one.task_id, one.results]));
    expect(results).toEqual({
      build: {},
      either: { exitCode: 0, stdout: 'no scan\n', stderr: '' },
      module: null,
      'without[0]': { exitCode: 0, stdout: 'x\n', stderr: '' },
      count: { exitCode: 0, stdout: 'all null\n', stderr: '' },
      behind: { exitCode: 0, stdout: '', stderr: '' },
      told: { exitCode: 0, stdout: 'null\n', stderr: '' },
    });
    expect(done.stdout).toContain('work: skipped because scan was skipped');
    expect(done.stdout).not.toMatch(/INCOMPLETE|finally untold/);
    const junit = readFileSync(join(folder, 'junit.xml'), 'utf8');
    expect(junit).toContain(
      '<testcase name="work" classname="x.work" time="0"><skipped>skipped because scan was skipped</skipped>',
    );
    const status = await waveplan(['status'], { cwd: folder });
    expect(status.stdout).toContain('wave 2  work: skipped because scan was skipped\n');
    expect(status.stdout).toContain('wave 1  listed: skipped because its `if` is false: 1 == 2\n');
    expect(status.stdout).toContain('wave 2  spread: skipped because scan was skipped\n');
    const explained = await waveplan(['explain', 'after'], { cwd: folder });
    expect(explained.stdout).toContain('after is skipped because work was skipped.');
    const again = await waveplan(['report'], { cwd: folder });
    expect(again.stdout).toContain('work: skipped because scan was skipped');
  });

  it('is told of before the run, and a graph draws optional needs as broken lines', async () => {
    const folder = repository({ 'plan.yaml': PLAN, 'x.mjs': MODULE });
    const plan = await waveplan(['plan', 'plan.yaml', '--json'], { cwd: folder });
    const { waves } = JSON.parse(plan.stdout) as {
      readonly waves: readonly { readonly tasks: readonly { readonly id: string; readonly skipped?: string }[] }[];
    };
    const skipped = waves
      .flatMap(({ tasks }) => tasks)
      .flatMap((task) => (task.skipped === undefined ? [] : [[task.id, task.skipped]]));
    const { spread: _, ...known } = SKIPPED;
    expect(Object.fromEntries(skipped)).toEqual(known);
    const drawn = await waveplan(['graph', 'plan.yaml', '--format', 'mermaid'], { cwd: folder });
    expect(drawn.stdout.match(/-\.->/g)).toHaveLength(4);
    const part = await waveplan(['plan', 'plan.yaml', '--only', 'scan,either', '--json'], { cwd: folder });
    expect(part.stdout).toMatch(/"needs": ?\[\s*"scan"\s*\],\s*"optionalNeeds": ?\[\s*"scan"\s*\]/);
  });

  it('is looked at again by a resume, which does not take what was skipped for done', async () => {
    const plan = `${HEAD}tasks:
  scan: { if: has(env.GO), run: seq 2, output: lines }
  work: { needs: [scan], foreach: "\${{ tasks.scan.results.stdout }}", run: 'echo "$ITEM"' }
  free: { if: "!has(env.GO)", run: echo free }
  loose: { needs: { free: optional }, run: echo loose }
`;
    const folder = repository({ 'plan.yaml': plan });
    const first = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(first.code, first.text).toBe(0);
    expect(checkpointsOf(onlyRun(folder)).map((one) => one.task_id)).toEqual(['free', 'loose']);
    const status = await waveplan(['resume', '-n'], { cwd: folder, env: { GO: '1' } });
    expect(status.stdout).toMatch(/^scan: runs.*\nfree: does not run: it is finished\nwork: runs/);
    const second = await waveplan(['resume', '--yes'], { cwd: folder, env: { GO: '1' } });
    expect(second.code, second.text).toBe(0);
    expect(
      checkpointsOf(onlyRun(folder))
        .map((one) => one.task_id)
        .sort(),
    ).toEqual(['free', 'loose', 'scan', 'work[0]', 'work[1]']);
    expect(skippedIn(folder)).toEqual({});
  });

  it('is looked at again in each round of watch', async () => {
    const plan = `${HEAD}tasks:
  read: { run: cat in.txt, inputs: [in.txt] }
  scan: { needs: [read], if: "tasks.read.results.stdout == 'yes'", run: echo scan >> .git/ran, inputs: [] }
  work: { needs: [scan], run: echo work >> .git/ran, inputs: [] }
`;
    const folder = repository({ 'plan.yaml': plan, 'in.txt': 'no' });
    const watch = watching(['plan.yaml', '--yes', '--overhead', '1ms', '-j', '1'], folder);
    await watch.waitFor('Waiting for changes');
    expect(existsSync(join(folder, '.git/ran'))).toBe(false);
    writeFiles(folder, { 'in.txt': 'yes' });
    await watch.waitFor('Waiting for changes');
    expect(readFileSync(join(folder, '.git/ran'), 'utf8')).toBe('scan\nwork\n');
    writeFiles(folder, { 'in.txt': 'not' });
    await watch.waitFor('Waiting for changes');
    watch.signal('SIGINT');
    expect(await watch.exit).toBe(130);
    const report = await waveplan(['report'], { cwd: folder });
    expect(report.stdout).not.toContain('INCOMPLETE');
  });
});

describe('a task that is skipped', () => {
  it('for a failure skips what needs it, optional or not, and an `if` that cannot be evaluated fails once', async () => {
    const plan = `${HEAD}tasks:
  fails: { run: exit 3 }
  skipped: { needs: [fails], run: "true" }
  loose: { needs: { fails: optional }, run: "true" }
  indirect: { needs: { skipped: optional }, run: "true" }
  off: { if: "1 == 2", run: "true" }
  both: { needs: [off, fails], run: "true" }
  wrong: { if: "env.NOT_THERE == 'x'", foreach: [1, 2, 3], run: "true", retries: { max: 2, backoff: 1ms } }
`;
    const folder = repository({ 'plan.yaml': plan });
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--keep-going'], { cwd: folder });
    expect(done.code, done.text).toBe(1);
    expect(skippedIn(folder)).toEqual({
      skipped: 'fails failed',
      loose: 'fails failed',
      indirect: 'skipped was skipped',
      off: 'its `if` is false: 1 == 2',
      both: 'fails failed',
    });
    const failed = checkpointsOf(onlyRun(folder)).map(({ task_id, attempt, error }) => [task_id, attempt, error?.kind]);
    expect(failed.sort()).toEqual([
      ['fails', 1, 'command'],
      ['wrong', 1, 'expression'],
    ]);
  });

  it('or not is said by one of two words', async () => {
    const plan = `${HEAD}tasks:\n  a: { run: "true" }\n  b: { needs: { a: maybe, c: optional, b: optional }, run: "true" }\n`;
    const folder = repository({ 'plan.yaml': plan });
    const done = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expect(done.code).toBe(2);
    expect(done.stderr).toContain("plan.yaml:6:20 PLAN-VALUE 'a' must be one of required, optional, not 'maybe'");
    expect(done.stderr).toContain("plan.yaml:6:27 PLAN-NEEDS there is no task 'c'");
    expect(done.stderr).toContain("plan.yaml:6:40 PLAN-NEEDS task 'b' needs itself");
  });
});
