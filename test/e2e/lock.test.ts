import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MAIN, waveplan } from '../support/cli.js';
import { isAlive, linesOf, start, until } from '../support/processes.js';
import { repository } from '../support/repository.js';

const plan = (name: string, command: string, backup = 'none') =>
  `version: 1\nname: ${name}\nbackup: ${backup}\ntasks:\n  t: { run: ${JSON.stringify(command)}, inputs: [] }\n`;
const FLAGS = ['--yes', '-q', '--overhead', '1ms'];

it('a second run is refused and names the first, or waits for it as long as it may', async () => {
  const folder = repository({
    'slow.yaml': plan('slow', 'while ! test -e .git/go; do sleep 0.02; done'),
    'quick.yaml': plan('quick', 'echo ran >> .git/ran'),
  });
  const quick = (...more: readonly string[]) =>
    start(['run', 'quick.yaml', ...FLAGS.filter((flag) => flag !== '-q'), ...more], { cwd: folder });
  const slow = start(['run', 'slow.yaml', ...FLAGS], { cwd: folder });
  await until(() => linesOf(join(folder, '.waveplan/lock')).length > 0, 'the lock');
  const refused = await quick().ended;
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringMatching(`process ${slow.pid} \\(run [^]*--lock-wait`)]);
  const tired = await quick('--lock-wait', '100ms').ended;
  expect([tired.code, tired.stderr]).toEqual([3, expect.stringContaining(`process ${slow.pid}`)]);
  const [patient, stopped] = [quick('--lock-wait', '10m'), quick('--lock-wait', '10m')];
  for (const one of [patient, stopped]) await until(() => one.printed().includes(`Waiting for process ${slow.pid}`), 'the wait');
  stopped.signal('SIGINT');
  expect((await stopped.ended).code).toBe(130);
  writeFileSync(join(folder, '.git/go'), '');
  expect((await slow.ended).code).toBe(0);
  expect((await patient.ended).code).toBe(0);
  expect(linesOf(join(folder, '.git/ran'))).toEqual(['ran']);
  const runs = JSON.parse((await waveplan(['list', '--json'], { cwd: folder })).stdout) as readonly { readonly plan: string }[];
  expect(runs.map((run) => run.plan)).toEqual(['slow', 'quick']);
});

it('a task runs another plan under the lock of its own run, but not the same plan again', async () => {
  const run = (name: string) =>
    `"${process.execPath}" "${MAIN}" run ${name}.yaml ${FLAGS.join(' ')} 2>> .git/err && s=0 || s=$?; echo "${name} $s" >> .git/ran`;
  const folder = repository({
    'outer.yaml': plan('outer', `echo changed > file; ${run('middle')}; ${run('outer')}`, 'ref'),
    'middle.yaml': plan('middle', `${run('inner')}; ${run('outer')}`, 'commit'),
    'inner.yaml': plan('inner', 'echo "inner: $WAVEPLAN_RUN" >> .git/ran', 'ref'),
    file: 'as it was\n',
  });
  const outer = await waveplan(['run', 'outer.yaml', ...FLAGS], { cwd: folder });
  expect(outer.code, outer.text).toBe(0);
  const runs = JSON.parse((await waveplan(['list', '--json'], { cwd: folder })).stdout) as readonly {
    readonly run: string;
    readonly plan: string;
    readonly state: string;
    readonly backup: { readonly mode: string };
  }[];
  expect(runs.map(({ plan, state, backup }) => [plan, state, backup.mode])).toEqual([
    ['outer', 'done', 'ref'],
    ['middle', 'done', 'none'],
    ['inner', 'done', 'none'],
  ]);
  expect(linesOf(join(folder, '.git/ran'))).toEqual([`inner: ${runs[2]?.run}`, 'inner 0', 'outer 3', 'middle 0', 'outer 3']);
  expect(linesOf(join(folder, '.git/err')).join('\n')).toMatch(/outer\.yaml is running \(run .*cannot run it again/);
  // The last run is the one that a person started, and it has the backup.
  const restored = await waveplan(['restore', '--yes'], { cwd: folder });
  expect(restored.code, restored.text).toBe(0);
  expect(linesOf(join(folder, 'file'))).toEqual(['as it was']);
});

it('a run under the lock of a run that was killed ends, with what it started', async () => {
  const folder = repository({
    'outer.yaml': plan('outer', `"${process.execPath}" "${MAIN}" run inner.yaml ${FLAGS.join(' ')}`),
    'inner.yaml': plan('inner', 'echo $PPID > .git/agent; echo $$ > .git/inner; exec sleep 1000'),
  });
  const outer = start(['run', 'outer.yaml', ...FLAGS], { cwd: folder });
  const pids = () => ['agent', 'inner'].flatMap((name) => linesOf(join(folder, '.git', name))).map(Number);
  await until(() => pids().length === 2, 'the inner run');
  outer.signal('SIGKILL');
  await until(() => !pids().some(isAlive), 'the end of the inner run');
});
