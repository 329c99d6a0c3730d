import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { waveplan } from '../support/cli.js';
import { fault, linesOf, runUnder, script, start, until } from '../support/faults.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: faulty\nbackup: none\n';

/** Each subtask leaves its item in `log`, so that it is known which ran, and how often. */
const LOGGING = `${HEAD}tasks:
  many: { foreach: [a, b, c, d, e, f], run: 'echo "$ITEM" >> log; echo "result of $ITEM"' }
  sum: { needs: [many], run: 'echo sum >> log' }
`;

async function wholeRun(): Promise<string> {
  const folder = tempFolder();
  writeFiles(folder, { 'plan.yaml': LOGGING });
  expect((await waveplan(['run', 'plan.yaml', '-y', '--overhead', '1ms', '-j', '1'], { cwd: folder })).code).toBe(0);
  writeFiles(folder, { log: '' });
  return folder;
}

describe('records', () => {
  fault(2, 'a torn tail, zeros, a flipped bit: told, and only what they held runs again', [], async () => {
    const folder = await wholeRun();
    const file = join(onlyRun(folder), 'wave1.ndjson');
    const whole = readFileSync(file);
    const text = whole.toString();
    const last = text.lastIndexOf('\n', text.length - 2) + 1;
    const third = text.split('\n').slice(0, 2).join('\n').length + 1;
    const lineHeld = (at: number) =>
      JSON.parse(text.slice(text.lastIndexOf('\n', at - 1) + 1).split('\n')[0] ?? '').results.stdout;
    const cases: readonly (readonly [string, () => void, readonly string[], RegExp])[] = [
      [
        'one byte short',
        () => truncateSync(file, whole.length - 1),
        [lineHeld(last + 1)],
        /its last \d+ bytes are no whole record and were cut off/,
      ],
      ['half a record', () => truncateSync(file, last + 40), [lineHeld(last + 1)], /its last 40 bytes .* were cut off/],
      ['zeros', () => writeFileSync(file, Buffer.concat([whole, Buffer.alloc(4096)])), [], /its last 4096 bytes .* were cut off/],
      [
        'a flipped bit in the middle',
        () => {
          const flipped = Buffer.from(whole);
          flipped[third + 25] = (flipped[third + 25] ?? 0) ^ 1;
          writeFileSync(file, flipped);
        },
        [lineHeld(third + 1)],
        /line 3 is damaged; what it held runs again/,
      ],
    ];
    for (const [name, damage, lost, told] of cases) {
      writeFiles(folder, { log: '' });
      writeFileSync(file, whole);
      damage();
      const resumed = await waveplan(['resume'], { cwd: folder });
      expect(resumed.code, `${name}: ${resumed.text}`).toBe(0);
      expect(resumed.text.replace(/\s+║\s+║\s+/g, ' '), name).toMatch(told);
      expect(
        linesOf(join(folder, 'log')).map((item) => `result of ${item}\n`),
        name,
      ).toEqual(lost);
    }
  });

  fault(3, 'a full disk: exit 3 naming ENOSPC, records readable, and a larger disk finishes', ['mounts'], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:
  many: { foreach: [${Array.from({ length: 60 }, (_, i) => i).join(', ')}], run: 'echo "$ITEM" >> log; head -c 3000 /dev/zero | tr "\\\\0" x' }
`,
    });
    const done = await script(
      `mkdir small && mount -t tmpfs -o size=64k none small && mkdir small/state
$WAVEPLAN run plan.yaml -y -j 1 --state-dir small/state --overhead 1ms; echo "exit $?"
$WAVEPLAN status --state-dir small/state --json > status.json
cp -r small/state large; cp log before
$WAVEPLAN resume --state-dir large -q; echo "resumed $?"`,
      folder,
      ['unshare', '-Urm'],
    );
    expect(done.stdout).toContain('exit 3\n');
    expect(done.stderr).toMatch(/ENOSPC \(no space left on the device\)/);
    const status = JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8'));
    const finished = status.tasks[0].succeeded;
    expect(finished).toBeGreaterThan(3);
    expect(done.stdout).toContain('resumed 0\n');
    const ran = linesOf(join(folder, 'log'));
    expect(new Set(ran).size).toBe(60);
    // What was recorded did not run again.
    expect(ran.length - linesOf(join(folder, 'before')).length).toBe(60 - finished);
  });

  fault(5, 'fsync or rename fails: exit 3, and nothing recorded as done that was not', ['strace'], async () => {
    for (const [inject, when] of [
      ['fdatasync:error=EIO', 'a wave ends'],
      ['fsync:error=EIO', 'the run begins'],
      ['rename,renameat,renameat2:error=EIO', 'the run begins'],
    ] as const) {
      const folder = tempFolder();
      writeFiles(folder, { 'plan.yaml': LOGGING });
      const done = await runUnder(
        [
          'strace',
          '-f',
          '--seccomp-bpf',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          'trace=fsync,fdatasync,rename,renameat,renameat2',
          '-e',
          `inject=${inject}`,
        ],
        ['run', 'plan.yaml', '-y', '--overhead', '1ms', '-j', '1', '-q'],
        folder,
      );
      expect(done.code, `${inject}: ${done.text}`).toBe(3);
      expect(done.stderr, inject).toContain('EIO');
      const ran = linesOf(join(folder, 'log'));
      if (when === 'the run begins') expect(ran, inject).toEqual([]);
      else {
        expect(ran).not.toContain('sum');
        const recorded = checkpointsOf(onlyRun(folder)).map(({ results }) => (results as { stdout: string }).stdout);
        for (const result of recorded) expect(ran.map((item) => `result of ${item}\n`)).toContain(result);
      }
    }
  });

  fault(
    6,
    'a read-only state folder, or a link to elsewhere: exit 3 before any subtask, target untouched',
    ['mounts'],
    async () => {
      const folder = tempFolder();
      writeFiles(folder, { 'plan.yaml': LOGGING });
      const readOnly = await script(
        'mkdir state && mount -t tmpfs none state && mount -o remount,ro state && $WAVEPLAN run plan.yaml -y --state-dir state/here',
        folder,
        ['unshare', '-Urm'],
      );
      expect(readOnly.code, readOnly.text).toBe(3);
      expect(readOnly.stderr).toContain('EROFS');
      mkdirSync(join(folder, 'elsewhere'));
      symlinkSync('elsewhere', join(folder, '.waveplan'));
      const linked = await waveplan(['run', 'plan.yaml', '-y', '--overhead', '1ms'], { cwd: folder });
      expect(linked.code, linked.text).toBe(3);
      expect(linked.stderr).toContain('symbolic link');
      expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
      expect(existsSync(join(folder, 'log'))).toBe(false);
    },
  );

  fault(
    7,
    'two runs at once: the second exits 3 and names the process; a stale lock is broken with a warning',
    ['proc'],
    async () => {
      const folder = tempFolder();
      writeFiles(folder, {
        'plan.yaml': `${HEAD}tasks: { wait: { run: 'touch started; while [ ! -e go ]; do sleep 0.02; done' } }\n`,
        'other.yaml': `${HEAD}tasks: { other: { run: touch other } }\n`,
      });
      const first = start(['run', 'plan.yaml', '-y', '--overhead', '1ms'], { cwd: folder });
      await until(() => existsSync(join(folder, 'started')), 'the first run');
      const second = await waveplan(['run', 'other.yaml', '-y', '--overhead', '1ms'], { cwd: folder });
      expect(second.code).toBe(3);
      expect(second.stderr).toContain(`process ${first.pid} `);
      expect(existsSync(join(folder, 'other'))).toBe(false);
      first.signal('SIGKILL');
      await first.ended;
      const third = await waveplan(['run', 'other.yaml', '-y', '--overhead', '1ms'], { cwd: folder });
      expect(third.code, third.text).toBe(0);
      expect(third.text).toMatch(new RegExp(`the lock of process ${first.pid} .*was broken`, 's'));
      const resumed = start(['resume', readdirSync(join(folder, '.waveplan/runs')).sort()[0] ?? ''], { cwd: folder });
      writeFiles(folder, { go: '' });
      expect((await resumed.ended).code).toBe(0);
    },
  );

  fault(8, 'the plan is edited before a resume: that task and its dependents run again, and explain says why', [], async () => {
    const folder = tempFolder();
    const plan = (b: string) => `${HEAD}tasks:
  a: { run: 'echo a >> log' }
  b: { run: '${b}' }
  fan: { needs: [a], foreach: [1, 2], run: 'echo fan >> log' }
  sum: { needs: [fan, b], run: 'echo sum >> log' }
  last: { needs: [sum], run: 'echo last >> log; [ -e fine ]' }
`;
    writeFiles(folder, { 'plan.yaml': plan('echo b >> log') });
    expect((await waveplan(['run', 'plan.yaml', '-y', '--overhead', '1ms'], { cwd: folder })).code).toBe(1);
    writeFiles(folder, { log: '', fine: '', 'plan.yaml': plan('echo edited >> log') });
    const explain = async (task: string) => (await waveplan(['explain', task], { cwd: folder })).stdout.split('\n')[0];
    expect(await explain('b')).toBe('b runs again: its definition changed (run).');
    expect(await explain('sum')).toBe('sum runs again: it needs b, whose results are new.');
    expect(await explain('last')).toBe('last runs again: it needs sum, whose results are new.');
    expect(await explain('fan')).toBe('fan does not run: all 2 subtasks are finished.');
    const resumed = await waveplan(['resume'], { cwd: folder });
    expect(resumed.code, resumed.text).toBe(0);
    expect(linesOf(join(folder, 'log'))).toEqual(['edited', 'sum', 'last']);
    expect(await explain('b')).toBe('b does not run: it is finished.');
  });
});
