import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { cleanEnv, MAIN, waveplan } from '../support/cli.js';
import { fault, isAlive, linesOf, processesOf, script, until } from '../support/faults.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: faulty\nbackup: none\n';
const QUICK = ['--overhead', '1ms'];

interface Printed {
  readonly stdout: unknown;
  readonly stderr: string;
}

function printed(folder: string): ReadonlyMap<string, Printed> {
  const found = checkpointsOf(onlyRun(folder)) as readonly (Omit<Checkpoint, 'results'> & { readonly results: unknown })[];
  return new Map(found.map(({ task_id, results }) => [task_id, results as Printed]));
}

describe('the output of commands', () => {
  fault(
    42,
    'commands that open their output again, and what they leave behind, never reach the next command',
    ['proc'],
    async () => {
      const folder = tempFolder();
      writeFiles(folder, {
        // It ignores TERM, is in a session of its own, and prints until it is killed.
        'leak.sh': `setsid sh -c 'trap "" TERM; echo $$ >> leaks; while echo LEAK && echo LEAK >&2; do sleep 0.001; done' &
while [ "$(cat leaks 2>/dev/null | wc -l)" -lt 1 ]; do sleep 0.001; done
echo "$ITEM"`,
        'plan.yaml': `${HEAD}tasks:
  again:
    foreach: [${Array.from({ length: 200 }, (_, i) => i).join(', ')}]
    run: |
      echo "a$ITEM"
      echo "b$ITEM" > /dev/stdout
      echo "c$ITEM" | tee /dev/stderr
      echo "d$ITEM" >> /proc/self/fd/1
      echo "e$ITEM" > /dev/stderr
    output: lines
  leaky: { foreach: [0, 1, 2, 3, 4, 5], run: [sh, leak.sh], output: lines }
  answer: { uses: agent/prompt, with: { prompt: 'as it is', command: [sh, -c, 'cat /dev/stdin; echo > /dev/stdout; echo end'] } }
`,
      });
      const done = await waveplan(['run', 'plan.yaml', '-y', '-q', '-j', '3', ...QUICK], { cwd: folder });
      expect(done.code, done.text).toBe(0);
      const found = printed(folder);
      for (let i = 0; i < 200; i++)
        expect(found.get(`again[${i}]`)).toMatchObject({
          stdout: [`a${i}`, `b${i}`, `c${i}`, `d${i}`],
          stderr: `c${i}\ne${i}\n`,
        });
      // What a process printed before its command was over is the command's own; nothing of another's is.
      for (let i = 0; i < 6; i++) {
        const stdout = found.get(`leaky[${i}]`)?.stdout as string[];
        expect(stdout.filter((line) => line !== 'LEAK')).toEqual([String(i)]);
      }
      expect(found.get('answer')).toMatchObject({ answer: 'as it is\nend\n' });
      const leaks = linesOf(join(folder, 'leaks')).map(Number);
      expect(leaks).toHaveLength(6);
      expect(leaks.filter(isAlive)).toEqual([]);
    },
  );

  fault(42, 'what left the group of a command ends with it, but for what is not of the run', ['proc'], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'left.sh': `setsid sh -c 'echo $$ > quiet; exec sleep 1000' >/dev/null 2>&1 &
env -u WAVEPLAN_RUN setsid sh -c 'echo $$ > kept; exec sleep 1000' >/dev/null 2>&1 9>&- &
setsid sh -c 'echo $$ > closed; exec sleep 1000' >/dev/null 2>&1 9>&- &
while ! [ -s quiet -a -s kept -a -s closed ]; do sleep 0.01; done`,
      'plan.yaml': `${HEAD}tasks:
  left: { run: [sh, left.sh] }
  next: { needs: [left], run: 'while kill -0 "$(cat quiet)" || kill -0 "$(cat closed)"; do sleep 0.01; done 2>/dev/null; kill -0 "$(cat kept)"' }
`,
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-q', ...QUICK], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    const [kept = 0] = linesOf(join(folder, 'kept')).map(Number);
    expect(isAlive(kept)).toBe(true);
    process.kill(kept, 'SIGKILL');
  });

  fault(43, 'no room for temporary files: output is whole all the same', ['mounts'], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:
  numbers: { run: seq 20000, output: lines }
  each: { needs: [numbers], foreach: "\${{ tasks.numbers.results.stdout }}", uses: ./item.mjs, with: "\${{ item }}" }
`,
      'item.mjs': 'export default (n) => n;',
    });
    const run = (tmp: string, state: string) =>
      `TMPDIR=${tmp} $WAVEPLAN run plan.yaml -y -q --overhead 1ms --state-dir ${state}; echo "exit $?"`;
    const done = await script(
      `mkdir full && mount -t tmpfs -o size=64k none full && head -c 60k /dev/zero > full/zeros; ${run('full', 'one')}; ${run('/nowhere', 'two')}`,
      folder,
      ['unshare', '-Urm'],
    );
    expect(done.stdout, done.text).toBe('exit 0\nexit 0\n');
    for (const state of ['one', 'two']) {
      const runs = join(folder, state, 'runs');
      const [run = ''] = readdirSync(runs);
      expect(checkpointsOf(join(runs, run)).filter(({ task_id }) => task_id.startsWith('each['))).toHaveLength(20_000);
    }
  });

  fault(36, 'of two runs in one process that is killed, each finds what it left behind and nothing else', ['proc'], async () => {
    const folders = [tempFolder(), tempFolder()];
    for (const folder of folders)
      writeFiles(folder, {
        'plan.yaml': `${HEAD}tasks: { hang: { run: '[ -e go ] || { echo $$ > pid; exec sleep 1000; }' } }\n`,
      });
    const library = pathToFileURL(join(MAIN, '../../lib/index.js')).href;
    writeFiles(folders[0] ?? '', {
      'both.mjs': `import { compilePlan, loadMethodology, loadPlan, runPlan } from '${library}';
const methodology = loadMethodology();
for (const folder of ${JSON.stringify(folders)})
  void runPlan(compilePlan(loadPlan(folder + '/plan.yaml').value, methodology.value), { cwd: folder });
`,
    });
    const both = spawn(process.execPath, [join(folders[0] ?? '', 'both.mjs')], { env: cleanEnv(), stdio: 'ignore' });
    await until(() => folders.every((folder) => linesOf(join(folder, 'pid')).length === 1), 'both commands');
    both.kill('SIGKILL');
    await once(both, 'exit');
    const left = () => folders.map((folder) => linesOf(join(folder, 'pid')).map(Number).filter(isAlive).length);
    expect(left()).toEqual([1, 1]);
    for (const [i, folder] of folders.entries()) {
      writeFiles(folder, { go: '' });
      const resumed = await waveplan(['resume'], { cwd: folder });
      expect(resumed.code, resumed.text).toBe(0);
      expect(resumed.text).toMatch(/(\d process|process(es)?) that it had left behind ended/);
      expect(left()).toEqual(i === 0 ? [0, 1] : [0, 0]);
      expect(processesOf(onlyRun(folder).split('/').at(-1) ?? '').filter(isAlive)).toEqual([]);
    }
  });
});
