import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { waveplan } from '../support/cli.js';
import { fault, linesOf, start, until } from '../support/faults.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: stopped\nbackup: none\ndefaults: { retries: { max: 0 } }\nfailure: { critical: 100% }\n';
const RUN = ['run', 'plan.yaml', '-y', '--overhead', '1ms'];

function byName(folder: string): Record<string, Checkpoint> {
  return Object.fromEntries(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
}

function began(folder: string, name: string): boolean {
  return existsSync(join(folder, name));
}

describe('work that was asked to stop', () => {
  fault(25, 'has failed when its time is up, no matter how it ends; what it returned is partial', [], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'early.mjs': `
import { existsSync } from 'node:fs';
const again = () => existsSync('again');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const compute = (ms) => { if (again()) return; for (const end = Date.now() + ms; Date.now() < end; ); };
export default async (_, { signal }) => { while (!signal.aborted && !again()) await sleep(5); return 'what there is'; };
export const blocks = () => { compute(600); return 'late'; };
export const blocksLater = async () => { await sleep(5); compute(600); return 'late'; };
export const waits = async () => { await sleep(20); return 'in time'; };
export const swallows = async (_, { signal, exec }) => (await exec(['sh', '-c', 'trap "exit 0" TERM; [ -e again ] && exit 3; sleep 60 & wait'])).exitCode;
`,
      'plan.yaml': `${HEAD}tasks:
  trapped: { run: "trap 'echo trapped; exit 0' TERM; echo 1 >> rows; [ -e again ] && exit; sleep 60 & wait; echo 2 >> rows", timeout: 300ms }
  argv: { run: [sh, -c, "trap 'exit 0' TERM; [ -e again ] && exit; sleep 60 & wait"], timeout: 300ms }
  returns: { uses: ./early.mjs, timeout: 300ms }
  blocks: { uses: "./early.mjs#blocks", timeout: 300ms }
  blocksLater: { uses: "./early.mjs#blocksLater", timeout: 300ms }
  swallows: { uses: "./early.mjs#swallows", timeout: 300ms }
  waits: { uses: "./early.mjs#waits", timeout: 30s }
  next: { needs: [trapped], run: touch next }
`,
    });
    const first = await waveplan([...RUN, '-k'], { cwd: folder });
    expect(first.code, first.text).toBe(1);
    const found = byName(folder);
    const error = { kind: 'timeout', message: 'timed out after 300 ms' };
    const failed = { status: 'failure', results: null, error };
    expect(found['trapped']).toMatchObject({ ...failed, partial: { exitCode: 0, stdout: 'trapped\n' } });
    expect(found['argv']).toMatchObject({ ...failed, partial: { exitCode: 0 } });
    expect(found['returns']).toMatchObject({ ...failed, partial: 'what there is' });
    expect(found['blocks']).toMatchObject({ ...failed, partial: 'late' });
    expect(found['blocksLater']).toMatchObject({ ...failed, partial: 'late' });
    expect(found['swallows']).toMatchObject({ ...failed, partial: 0 });
    expect(found['waits']).toMatchObject({ status: 'success', results: 'in time' });
    expect(linesOf(join(folder, 'rows'))).toEqual(['1']);
    expect(found['next']).toBeUndefined();
    expect(first.stdout).toContain('trapped');
    writeFiles(folder, { again: '' });
    const resumed = await waveplan(['resume', '-y'], { cwd: folder });
    expect(resumed.code, resumed.text).toBe(0);
    expect(linesOf(join(folder, 'rows'))).toEqual(['1', '1']);
    expect(byName(folder)['next']?.status).toBe('success');
  });

  fault(25, 'is cancelled by fail-fast and by two Ctrl-C, never done, and runs again when the run is resumed', [], async () => {
    const plan = `${HEAD}agents: 3
tasks:
  fails: { run: 'while [ ! -e began-1 ] || [ ! -e began-2 ]; do sleep 0.01; done; [ -e again ] || exit 7' }
  works: { foreach: [1, 2], run: "trap 'echo trapped; exit 0' TERM; touch began-$ITEM; [ -e again ] && exit; sleep 60 & wait" }
`;
    for (const how of ['fail-fast', 'signals']) {
      const folder = tempFolder();
      writeFiles(folder, { 'plan.yaml': how === 'signals' ? plan.replace('exit 7', 'sleep 60') : plan });
      const running = start(how === 'signals' ? RUN : [...RUN, '--fail-fast'], { cwd: folder });
      if (how === 'signals') {
        await until(() => began(folder, 'began-1') && began(folder, 'began-2'), 'the work');
        running.signal('SIGINT');
        await until(() => running.printed().includes('Again to end it now'), 'the answer to the first Ctrl-C');
        running.signal('SIGINT');
      }
      const ended = await running.ended;
      expect(ended.code, ended.text).toBe(how === 'signals' ? 130 : 1);
      const works = checkpointsOf(onlyRun(folder)).filter(({ task_id }) => task_id.startsWith('works'));
      expect(works).toHaveLength(2);
      for (const checkpoint of works)
        expect(checkpoint).toMatchObject({
          status: 'failure',
          error: { kind: 'cancelled' },
          results: null,
          partial: { stdout: 'trapped\n' },
        });
      writeFiles(folder, { again: '' });
      const resumed = await waveplan(['resume', '-y', '--resume-failed'], { cwd: folder });
      expect(resumed.code, resumed.text).toBe(0);
      expect((await waveplan(['status'], { cwd: folder })).stdout).toContain('works: 2 of 2 done');
    }
  });
});

describe('a delay that is not theirs', () => {
  fault(44, 'a module that takes its thread fails alone: commands end in time, and nothing runs again', [], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'busy.mjs': 'export default (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); return ms; };\n',
      'plan.yaml': `${HEAD}agents: 6
tasks:
  busy: { uses: ./busy.mjs, with: "\${{ 4000 }}" }
  guilty: { uses: ./busy.mjs, with: "\${{ 60000 }}", timeout: 500ms }
  short: { foreach: [${Array.from({ length: 24 }, (_, i) => i)}], run: 'echo $ITEM >> ran; sleep 0.1', timeout: 2s }
`,
    });
    const done = await waveplan([...RUN, '-k'], { cwd: folder });
    expect(done.code, done.text).toBe(1);
    const failed = checkpointsOf(onlyRun(folder)).filter(({ status }) => status === 'failure');
    expect(failed.map(({ task_id, error }) => [task_id, error?.kind])).toEqual([['guilty', 'timeout']]);
    expect([...linesOf(join(folder, 'ran'))].sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 24 }, (_, i) => String(i)),
    );
  });

  fault(44, 'the whole process is paused: neither a command nor a module has used up its time', ['proc'], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'wait.mjs': `import { existsSync, writeFileSync } from 'node:fs';
export default (name) => {
  writeFileSync('began-' + name, '');
  while (!existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  return 'done';
};
`,
      'plan.yaml': `${HEAD}type: computation
agents: 3
tasks:
  command: { run: 'touch began-command; while [ ! -e go ]; do sleep 0.01; done; echo done', timeout: 3s }
  module: { uses: ./wait.mjs, with: "\${{ 'module' }}", timeout: 3s }
`,
    });
    const running = start(RUN, { cwd: folder });
    await until(() => began(folder, 'began-command') && began(folder, 'began-module'), 'the work');
    running.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    writeFiles(folder, { go: '' });
    running.signal('SIGCONT');
    const done = await running.ended;
    expect(done.code, done.text).toBe(0);
    expect(Object.values(byName(folder)).map(({ attempt }) => attempt)).toEqual([1, 1]);
  });
});

describe('a hostile module', () => {
  fault(
    47,
    'throws what cannot be read, or changes the environment: it fails, and its neighbours do not notice',
    [],
    async () => {
      const names = ['getters', 'revoked', 'thenGetter', 'revokedResult', 'rejects', 'toJson', 'nothing'];
      const files = {
        'hostile.mjs': `
const throws = { get() { throw new Error('no'); }, configurable: true };
const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
export const getters = () => { const error = new Error('x'); for (const name of ['message', 'stack', 'name', 'constructor']) Object.defineProperty(error, name, throws); throw error; };
export { throwsRevoked as revoked };
const throwsRevoked = () => { throw revoked(); };
export const thenGetter = () => Object.defineProperty({}, 'then', throws);
export const revokedResult = () => revoked();
export const rejects = async () => { throw new Proxy(new Error('p'), { get() { throw 1; }, has() { throw 2; }, getPrototypeOf() { throw 3; } }); };
export const toJson = () => ({ toJSON() { throw new Proxy({}, { get() { throw 1; } }); } });
export const nothing = () => { throw Object.create(null); };
export const environment = () => { process.env.PATH = ''; process.env.LEAK = 'leaked'; return process.env.LEAK; };
export const calls = async (_, { exec }) => (await exec(['sh', '-c', 'echo "[$LEAK]"; ls / > /dev/null'])).stdout;
`,
        'plan.yaml': `${HEAD}agents: 4
tasks:
${names.map((name) => `  ${name}: { uses: "./hostile.mjs#${name}" }`).join('\n')}
  environment: { foreach: [1, 2, 3, 4], uses: "./hostile.mjs#environment" }
  after: { needs: [environment], foreach: [1, 2, 3, 4], run: 'echo "[$LEAK]"; ls / > /dev/null' }
  calls: { needs: [environment], foreach: [1, 2, 3, 4], uses: "./hostile.mjs#calls" }
`,
      };
      for (const agents of ['4', '1']) {
        const folder = tempFolder();
        writeFiles(folder, files);
        const done = await waveplan([...RUN, '-k', '-j', agents], { cwd: folder });
        expect(done.code, done.text).toBe(1);
        expect(done.stderr).not.toMatch(/\n {4}at /);
        const found = byName(folder);
        for (const name of names)
          expect(found[name], name).toMatchObject({ status: 'failure', error: { message: expect.any(String) } });
        for (const index of [0, 1, 2, 3]) {
          expect(found[`after[${index}]`]).toMatchObject({ status: 'success', results: { stdout: '[]\n', stderr: '' } });
          expect(found[`calls[${index}]`]).toMatchObject({ status: 'success', results: '[]\n' });
        }
      }
    },
  );
});

describe('a module that has its thread when the run is stopped', () => {
  fault(25, 'is cancelled although it returns before its thread reads the message; the records stay intact', [], async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'holds.mjs': `import { appendFileSync, existsSync } from 'node:fs';
export const atOnce = (name, { folder }) => {
  appendFileSync(folder + '/began', name + '\\n');
  while (!existsSync(folder + '/go') && !existsSync(folder + '/told'));
  return name;
};
export const later = async (name, context) => atOnce(name, context);
export const forEver = (name, { folder }) => {
  appendFileSync(folder + '/began', name + '\\n');
  while (!existsSync(folder + '/go'));
};`,
      'plan.yaml': `${HEAD}tasks:
  atOnce: { uses: ./holds.mjs#atOnce, with: atOnce }
  later: { uses: ./holds.mjs#later, with: later }
  forEver: { uses: ./holds.mjs#forEver, with: forEver }
  chatty: { run: 'echo chatty >> began; [ -e go ] && exit; while :; do echo some output; sleep 0.05; done' }
`,
    });
    // A thread for each; what is ended with its thread must take no file of the others with it.
    const running = start([...RUN, '-j', '4'], { cwd: folder });
    await until(() => linesOf(join(folder, 'began')).length >= 3, 'three to begin');
    running.signal('SIGINT');
    await until(() => running.printed().includes('stopping; running work may end'), 'the first answer');
    running.signal('SIGINT');
    await until(() => running.printed().includes('ending running work'), 'the second answer');
    writeFiles(folder, { told: '' });
    const done = await running.ended;
    expect(done.code, done.text).toBe(130);
    const found = Object.values(byName(folder));
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const { task_id, status, error } of found)
      expect([task_id, status, error?.kind]).toEqual([task_id, 'failure', 'cancelled']);
    writeFiles(folder, { go: '' });
    const resumed = await waveplan(['resume', '-q'], { cwd: folder });
    expect(resumed.code, resumed.text).toBe(0);
    expect(Object.values(byName(folder)).map(({ status }) => status)).toEqual(['success', 'success', 'success', 'success']);
  });
});
