import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { waveplan } from '../support/cli.js';
import { fault, isAlive, linesOf, processesOf, runUnder, script, start, until, zombiesOf } from '../support/faults.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: faulty\nbackup: none\n';
const QUICK = ['--overhead', '1ms'];

function byName(folder: string): Record<string, Checkpoint> {
  return Object.fromEntries(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
}

function pidsIn(folder: string, ...files: readonly string[]): readonly number[] {
  return files.flatMap((file) => linesOf(join(folder, file)).map(Number));
}

describe('processes', () => {
  fault(9, 'a time-out ends all that a subtask started, also what ignores TERM', ['proc'], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:
  grandchildren: { run: 'sleep 99 & echo $! >> pids; sh -c "sleep 98 & echo \\$! >> pids; wait" & wait', timeout: 2s, retries: { max: 0 } }
  stubborn: { run: 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.05; done', timeout: 1s, retries: { max: 0 } }
  fine: { run: echo fine }
  open: { run: 'while [ ! -e go ]; do sleep 0.02; done' }
`,
    });
    const running = start(['run', 'plan.yaml', '-y', '-k', ...QUICK], { cwd: folder });
    await until(
      () => existsSync(join(onlyRunOr(folder), 'wave1.ndjson')) && linesOf(join(onlyRunOr(folder), 'wave1.ndjson')).length === 3,
      'all but the open one',
    );
    // While the run still is at work: at its end it ends its own shells, which are dead for a moment before they are gone.
    expect(zombiesOf(running.pid)).toEqual([]);
    writeFiles(folder, { go: '' });
    expect((await running.ended).code).toBe(1);
    const found = byName(folder);
    for (const name of ['grandchildren', 'stubborn'])
      expect(found[name]).toMatchObject({
        status: 'failure',
        error: { kind: 'timeout', message: expect.stringMatching(/^timed out after [12]000 ms$/) },
      });
    expect(found['fine']?.status).toBe('success');
    const pids = pidsIn(folder, 'pids');
    expect(pids).toHaveLength(3);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  fault(10, 'Ctrl-C once lets work end and runs finally; twice kills; both keep the report and exit 130', ['proc'], async () => {
    for (const times of [1, 2]) {
      const folder = tempFolder();
      writeFiles(folder, {
        'plan.yaml': `${HEAD}tasks:
  first: { run: 'echo $$ > pid; touch started; while [ ! -e go ]; do sleep 0.02; done; touch ended' }
  next: { needs: [first], run: touch next }
finally: { clean: { run: touch cleaned } }
`,
      });
      const running = start(['run', 'plan.yaml', '-y', ...QUICK], { cwd: folder });
      await until(() => existsSync(join(folder, 'started')), 'the first task');
      running.signal('SIGINT');
      await until(() => running.printed().includes('stopping; running work may end'), 'the answer');
      expect(existsSync(join(folder, 'ended'))).toBe(false);
      if (times === 1) writeFiles(folder, { go: '' });
      else running.signal('SIGINT');
      const done = await running.ended;
      expect(done.code, done.text).toBe(130);
      expect([existsSync(join(folder, 'ended')), existsSync(join(folder, 'next'))]).toEqual([times === 1, false]);
      expect(existsSync(join(folder, 'cleaned'))).toBe(true);
      expect(JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8'))).toMatchObject({ status: 'stopped' });
      expect(pidsIn(folder, 'pid').filter(isAlive)).toEqual([]);
      // What was finished counts; what was killed runs again.
      writeFiles(folder, { go: '' });
      expect((await waveplan(['resume', '-q'], { cwd: folder })).code).toBe(0);
      expect(existsSync(join(folder, 'next'))).toBe(true);
    }
  });

  fault(11, 'a module that exits, fills its heap, loops, throws a non-error or rejects later fails alone', [], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'exits.mjs': 'export default () => process.exit(3);',
      'heap.mjs': 'export default () => { const all = []; for (;;) all.push(new Array(10_000).fill(all.length)); };',
      'loops.mjs': 'export default () => { for (;;); };',
      'throws.mjs': "export default () => { throw 'not an error'; };",
      'later.mjs': `export default () => new Promise((resolve) => {
        setTimeout(() => Promise.reject(new Error('beside')), 5);
        setTimeout(resolve, 5000);
      });`,
      'fine.mjs': 'export default (n) => new Promise((resolve) => setTimeout(() => resolve(n), 100));',
      'plan.yaml': `${HEAD}tasks:
  exits: { uses: ./exits.mjs }
  heap: { uses: ./heap.mjs }
  loops: { uses: ./loops.mjs, timeout: 500ms }
  throws: { uses: ./throws.mjs }
  later: { uses: ./later.mjs }
  fine: { foreach: [1, 2, 3, 4, 5, 6, 7, 8], uses: ./fine.mjs, with: "\${{ item }}" }
`,
    });
    const running = start(['run', 'plan.yaml', '-y', '-k', '-j', '13', '--retries', '0', ...QUICK], {
      cwd: folder,
      env: { NODE_OPTIONS: '--max-old-space-size=80' },
    });
    const done = await running.ended;
    expect(done.code, done.text).toBe(1);
    const found = byName(folder);
    expect(found['exits']?.error).toMatchObject({ kind: 'agent-lost', message: expect.stringContaining('process.exit(3)') });
    expect(found['heap']?.error).toMatchObject({ kind: 'agent-lost', message: expect.stringMatching(/memory/) });
    expect(found['loops']?.error).toMatchObject({ kind: 'timeout' });
    expect(found['throws']?.error).toMatchObject({ kind: 'module', message: expect.stringContaining('not an error') });
    expect(found['later']?.error).toMatchObject({ kind: 'module', message: 'Error: beside' });
    for (let i = 0; i < 8; i++) expect(found[`fine[${i}]`]).toMatchObject({ status: 'success', results: i + 1 });
  });

  fault(12, 'a module that does not load fails with file and line, and nothing hangs', [], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'syntax.ts': 'const fine = 1;\nexport default function ( {',
      'nothing.mjs': 'export const other = () => {};',
      'import.mjs': 'const fine = 1;\nthrow new Error("at import");\nexport default () => fine;',
      'plan.yaml': `${HEAD}tasks:
  syntax: { uses: ./syntax.ts }
  nothing: { uses: ./nothing.mjs }
  import: { uses: ./import.mjs }
`,
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-k', ...QUICK], { cwd: folder });
    expect(done.code, done.text).toBe(1);
    const found = byName(folder);
    expect(found['syntax']?.error).toMatchObject({ kind: 'module-load', message: expect.stringMatching(/syntax\.ts:2/) });
    expect(found['nothing']?.error).toMatchObject({
      kind: 'module-load',
      message: expect.stringMatching(/nothing\.mjs.*it exports other/s),
    });
    expect(found['import']?.error).toMatchObject({ kind: 'module-load', message: expect.stringMatching(/import\.mjs:2:\d+/) });
  });

  fault(13, '1 GiB on standard output: bounded memory, and the cut is told with its limit', ['proc'], async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': `${HEAD}tasks: { flood: { run: head -c 1G /dev/zero } }\n` });
    const running = start(['run', 'plan.yaml', '-y', '-q', ...QUICK], { cwd: folder });
    let peakKb = 0;
    const watch = setInterval(() => {
      try {
        peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${running.pid}/status`, 'utf8'))?.[1] ?? 0));
      } catch {
        // It ended.
      }
    }, 20);
    const done = await running.ended;
    clearInterval(watch);
    expect(done.code, done.text).toBe(0);
    expect(peakKb).toBeGreaterThan(10_000);
    expect(peakKb).toBeLessThan(400_000);
    const { stdout } = (byName(folder)['flood']?.results ?? {}) as { stdout: string };
    expect(stdout).toMatch(/^\[(?:at least )?\d{9,10} bytes cut: the last 16 KiB are kept\]\n\0/);
    expect(stdout.length).toBeLessThan(17_000);
  });

  fault(14, 'the reader of --json goes away: a quiet end; a slow reader gets every byte', [], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'item.mjs': "export default (n) => ({ n, text: 'x'.repeat(200) });",
      'plan.yaml': `${HEAD}tasks: { many: { foreach: [${Array.from({ length: 1500 }, (_, i) => i).join(', ')}], uses: ./item.mjs, with: "\${{ item }}" } }\n`,
    });
    const gone = await script(`{ $WAVEPLAN run plan.yaml -y --json --overhead 1ms; echo "exit $?" >&2; } | head -1`, folder);
    expect(gone.stderr).toBe('exit 0\n');
    expect(gone.stdout.split('\n').filter((line) => line !== '')).toHaveLength(1);
    const slow = await script('$WAVEPLAN run plan.yaml -y --json --overhead 1ms | (sleep 1; cat)', folder);
    expect(slow.stderr).toBe('');
    const events = slow.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.filter(({ type }) => type === 'subtask-finished')).toHaveLength(1500);
    expect(events.at(-1)?.type).toBe('run-finished');
  });

  fault(
    4,
    'few files or few processes: slower, or exit 3; nothing hangs, nothing is recorded that did not run',
    ['prlimit', 'otherUser'],
    async () => {
      const folder = tempFolder();
      const items = Array.from({ length: 60 }, (_, i) => i).join(', ');
      writeFiles(folder, {
        'plan.yaml': `${HEAD}tasks: { many: { foreach: [${items}], run: 'sleep 0.02; echo "$ITEM" >> log' } }\n`,
      });
      await script('chown -R 54321:54321 . && chmod 755 .', folder);
      const under = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];
      for (const limit of ['--nofile=30', '--nofile=60', '--nproc=30']) {
        const state = join(folder, `state${limit}`);
        const args = ['-j', '30', '--state-dir', state, ...QUICK];
        const few = await runUnder([...under, 'prlimit', limit], ['run', 'plan.yaml', '-y', '-q', ...args], folder);
        expect([0, 3], `${limit}: ${few.text}`).toContain(few.code);
        expect(few.stderr, limit).not.toMatch(/\n\s+at /);
        const again = existsSync(state) ? ['resume', '-q', '--state-dir', state] : ['run', 'plan.yaml', '-y', '-q', ...args];
        const resumed = await runUnder(under, again, folder);
        expect(resumed.code, `${limit}: ${few.text}${resumed.text}`).toBe(0);
        expect(new Set(linesOf(join(folder, 'log'))).size).toBe(60);
      }
    },
  );

  fault(
    4,
    'a command that could not be started has had no attempt, and threads that could not be made are told of',
    ['otherUser'],
    async () => {
      const folder = tempFolder();
      writeFiles(folder, {
        'plan.yaml': `${HEAD}agents: 40\ndefaults: { retries: { max: 0 } }\ntasks:
  all: { foreach: [${Array.from({ length: 200 }, (_, i) => i)}], run: 'echo $ITEM >> ran' }
`,
      });
      await script('chown -R 54322:54322 . && chmod 755 .', folder);
      const under = ['setpriv', '--reuid=54322', '--regid=54322', '--clear-groups', 'prlimit'];
      const few = await runUnder([...under, '--nproc=40'], ['run', 'plan.yaml', '-y', '-q', ...QUICK], folder);
      expect(few.code, few.text).toBe(0);
      expect(few.stderr).toMatch(/no room for more|^$/);
      expect([...linesOf(join(folder, 'ran'))].sort()).toEqual(Array.from({ length: 200 }, (_, i) => String(i)).sort());
      for (const limit of ['--nproc=16', '--nproc=18']) {
        const none = await runUnder([...under, limit], ['run', 'plan.yaml', '-y', '-q', '--state-dir', limit.slice(2)], folder);
        expect([0, 1, 3], none.text).toContain(none.code);
        expect(none.stderr, limit).not.toMatch(/\n\s+at /);
      }
    },
  );

  fault(1, 'what a killed command left behind is ended by the resume, and nothing else is', ['proc'], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'spawns.mjs': `import { spawn } from 'node:child_process';
export default () => { spawn('sleep', ['97']); return new Promise((resolve) => setTimeout(resolve, 99_000)); };`,
      'plan.yaml': `${HEAD}tasks:
  command: { run: 'echo $$ >> pids; [ -e go ] || sleep 96' }
  module: { uses: ./spawns.mjs, if: "params.hang == 'yes'" }
params: { hang: { default: "yes" } }
`,
    });
    const running = start(['run', 'plan.yaml', '-y', '-j', '2', ...QUICK], { cwd: folder });
    await until(() => linesOf(join(folder, 'pids')).length === 1, 'the command');
    const run = onlyRun(folder).split('/').at(-1) ?? '';
    await until(() => processesOf(run).length >= 3, 'the processes');
    const bystander = start(['--version'], { cwd: folder, env: { WAVEPLAN_RUN: 'another' } });
    running.signal('SIGKILL');
    await running.ended;
    await bystander.ended;
    expect(processesOf(run).filter(isAlive).length).toBeGreaterThanOrEqual(2);
    writeFiles(folder, {
      go: '',
      'spawns.mjs': 'export default () => null;',
    });
    const resumed = await waveplan(['resume'], { cwd: folder });
    expect(resumed.code, resumed.text).toBe(0);
    expect(resumed.text).toMatch(/\d processes that it had left behind ended/);
    expect(processesOf(run).filter(isAlive)).toEqual([]);
  });
});

function onlyRunOr(folder: string): string {
  try {
    return onlyRun(folder);
  } catch {
    return folder;
  }
}
