import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../../src/actions/command.js';
import { launchScript } from '../../../src/actions/launch-script.js';
import { endLaunchers, watchLaunchers } from '../../../src/actions/launchers.js';
import { leftoversEnded } from '../../../src/actions/process-group.js';

afterAll(async () => {
  endLaunchers();
  await leftoversEnded();
  rmSync(folder, { recursive: true });
});

const folder = mkdtempSync(join(tmpdir(), 'waveplan-test-'));

function sh(command: string, env: Readonly<Record<string, string>> = {}) {
  const signal = new AbortController().signal;
  return runCommand({ argv: ['sh', '-c', command], cwd: folder, env, output: 'text', signal });
}

/** What a command sees of the shell that runs it, and of its own descriptors. */
const PROBE =
  'pwd; echo "${LEAK-none} ${A-none}"; umask; ulimit -n; (f) 2>/dev/null || echo "no f"; trap; set -o | grep errexit; ls /proc/self/fd | tr "\\n" " "; echo "$0 $#"; cat';

/** Commands that change as much of their shell as a command can. */
const INTRUDERS: readonly string[] = [
  'cd /',
  'export LEAK=1; LEAK=2; readonly LEAK',
  'exit 3',
  "trap 'echo trapped' EXIT TERM; exit 0",
  'set -e; false; echo not here',
  'set -u; echo "$nothing"',
  'exec >/dev/null 2>&1; echo gone',
  'exec 3>leak 4>leak; echo x >&3',
  'exec <leak',
  'f() { echo leaked; }; alias pwd=false',
  'umask 000; ulimit -n 64',
  'sleep 1000 & sleep 1000 & echo started',
  'kill -KILL $$',
  'kill -TERM $$',
  'kill -TERM 0; sleep 1',
  'if then fi (',
  "echo 'unclosed",
  'eval "exit 7"',
  'return 5',
  'exec /bin/true',
  'PATH=/nowhere; LC_ALL=C; IFS=x',
];

describe('a launcher', () => {
  it.each(INTRUDERS)('lets nothing of %j reach the next command', async (intruder) => {
    const before = await sh(PROBE);
    expect(before.failure).toBeUndefined();
    await sh(intruder, { A: 'of the first' });
    for (let i = 0; i < 3; i++) expect(await sh(PROBE)).toEqual(before);
  });

  it('starts many commands from one process', async () => {
    const started: number[] = [];
    watchLaunchers((pid, state) => {
      if (state === 'started') started.push(pid);
    });
    for (let i = 0; i < 20; i++) expect((await sh(`echo ${i}`)).results.stdout).toBe(`${i}\n`);
    expect(started.length).toBeLessThanOrEqual(1);
    watchLaunchers(() => {});
  });

  it('gives each of many at once its own output', async () => {
    const all = await Promise.all(Array.from({ length: 24 }, (_, i) => sh(`echo ${i}; echo e${i} >&2; exit ${i % 3}`)));
    for (const [i, { results }] of all.entries())
      expect(results).toEqual({ exitCode: i % 3, stdout: `${i}\n`, stderr: `e${i}\n` });
  });
});

describe('the script of a command', () => {
  const order = (argv: readonly string[], env = {}) => launchScript({ argv, cwd: '/x', env });

  it('is not made where a shell could not say it', () => {
    expect(order([])).toBeUndefined();
    expect(order(['true', 'a\0b'])).toBeUndefined();
    expect(order(['true', 'x'.repeat(100_000)])).toBeUndefined();
    expect(order(['true'], { 'not-a-name': '1' })).toBeUndefined();
  });

  it('knows a command that puts work into the background from one that does not', () => {
    const backgrounds = (text: string) => order(['sh', '-c', text])?.backgrounds;
    expect(['sleep 1 &', 'a & b', '(x &)'].map(backgrounds)).toEqual([true, true, true]);
    expect(['a && b', 'a 2>&1', 'a &>f', 'a >&2'].map(backgrounds)).toEqual([false, false, false, false]);
  });
});
