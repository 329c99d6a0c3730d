import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { until } from '../support/processes.js';
import { describeWithRedis, KEY, onWorkers, startRedis, startWorker } from '../support/redis.js';
import { checkpointsOf, onlyRun, repository, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: far\nbackup: none\n';
const ENV = { WAVEPLAN_KEY: KEY };

/** A bit of everything: what may be told apart is where it ran. */
const FILES = {
  'plan.yaml': `${HEAD}params: { times: { type: integer, default: 3 } }
tasks:
  files: { uses: files/glob, with: { patterns: ["data/*.txt"] } }
  list: { run: seq 1 40, output: lines }
  square: { needs: [list], foreach: "\${{ tasks.list.results.stdout }}", run: 'echo $((ITEM * ITEM * PARAM_times))' }
  after: { needs: [square], foreach: { each: square }, run: [echo, "\${{ prev.stdout }}", "\${{ index }}"] }
  batched: { needs: [list], foreach: "\${{ tasks.list.results.stdout }}", batch: 7, uses: ./tasks/count.ts#count, with: "\${{ item }}" }
  few: { foreach: [1, 2, 3, 4], if: "item > 2", run: 'exit $((ITEM == 4))', retries: { max: 1, backoff: 1ms } }
  sum:
    needs: [batched, square]
    uses: ./tasks/sum.mjs
    with: { times: "\${{ params.times }}" }
    success: ["results.total == 66420"]
  kept: { needs: [sum], uses: files/write, with: { path: out.txt, text: "\${{ string(tasks.sum.results.total) }}" } }
finally: { last: { run: 'cat out.txt' } }
`,
  'tasks/count.ts':
    "import { add } from './add.js';\nexport async function count(items: string[], context: { log: (text: string) => void }) {\n  context.log('counting');\n  return { items: add(items.length, 0) };\n}\n",
  'tasks/add.ts': 'export const add = (a: number, b: number) => a + b;\n',
  'tasks/sum.mjs':
    "export default async ({ times }, context) => {\n  const squares = await context.results('square');\n  return { times, total: squares.reduce((sum, { stdout }) => sum + Number(stdout), 0) };\n};\n",
  'data/a.txt': 'a',
  'data/b.txt': 'b',
};

/** What a run came to, without who did it and when. */
function outcomesOf(folder: string): readonly unknown[] {
  return checkpointsOf(onlyRun(folder))
    .map(({ wave, task_id, status, results, key, attempt, error }) => ({ wave, task_id, status, results, key, attempt, error }))
    .sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
}

describeWithRedis('runs on workers', () => {
  it.each(['wave', 'eager'])('have the same results as runs on threads, with sync %s', async (sync) => {
    const [here, far, other] = [tempFolder(), tempFolder(), tempFolder()];
    for (const folder of [here, far, other]) writeFiles(folder, FILES);
    const redis = await startRedis();
    await startWorker(redis, far, ['--agents', '2']);
    await startWorker(redis, other, ['--agents', '3']);
    const coordinator = tempFolder();
    writeFiles(coordinator, FILES);
    const args = ['run', 'plan.yaml', '-y', '-q', '-k', '--overhead', '1ms', '--sync', sync];
    const local = await waveplan(args, { cwd: here });
    const remote = await waveplan([...args, ...onWorkers(redis)], { cwd: coordinator, env: ENV });
    expect([remote.code, remote.stderr]).toEqual([local.code, local.stderr]);
    expect(outcomesOf(coordinator)).toEqual(outcomesOf(here));
    expect(outcomesOf(here)).toHaveLength(93);
    expect(readFileSync(join(coordinator, 'out.txt'), 'utf8')).toBe('66420');
  });

  it('hold pools and rates over all of them', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}pools: { few: 2, slow: { rate: 10/s } }
tasks:
  pooled: { foreach: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], pool: few, run: 'echo + >> log; sleep 0.05; echo - >> log' }
  paced: { foreach: [1, 2, 3, 4, 5, 6], pool: slow, run: 'true' }
`,
    });
    const redis = await startRedis();
    for (let i = 0; i < 3; i++) await startWorker(redis, folder, ['--agents', '4']);
    const done = await waveplan(['run', 'plan.yaml', '-y', '--json', ...onWorkers(redis)], { cwd: folder, env: ENV });
    expect(done.code, done.text).toBe(0);
    let [running, most] = [0, 0];
    for (const sign of readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')) {
      running += sign === '+' ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(most).toBeLessThanOrEqual(2);
    const events = done.stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    const starts = events.filter(({ type, task }) => /^subtasks?-started$/.test(type) && task === 'paced').map(({ at }) => at);
    expect(starts).toHaveLength(6);
    expect(starts.at(-1) - starts[0]).toBeGreaterThanOrEqual(450);
  });

  it('let workers join and leave', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:
  gated: { foreach: [1, 2, 3, 4, 5, 6], run: 'touch begun-$ITEM; while [ ! -e go ]; do sleep 0.02; done', estimate: 1s }
  open: { needs: [gated], foreach: [1, 2, 3, 4], run: 'true' }
`,
    });
    const redis = await startRedis();
    const first = await startWorker(redis, folder, ['--agents', '1']);
    const running = waveplan(['run', 'plan.yaml', '-y', '--json', ...onWorkers(redis)], { cwd: folder, env: ENV });
    const begun = () => [1, 2, 3, 4, 5, 6].filter((item) => existsSync(join(folder, `begun-${item}`))).length;
    await until(() => begun() === 1, 'the first subtask');
    await startWorker(redis, folder, ['--agents', '2']);
    await until(() => begun() === 3, 'the subtasks of the second worker');
    first.signal('SIGTERM');
    await until(() => first.printed().includes('taking no more work'), 'the answer of the first worker');
    writeFiles(folder, { go: '' });
    expect((await first.ended).code).toBe(143);
    const done = await running;
    expect(done.code, done.text).toBe(0);
    expect(checkpointsOf(onlyRun(folder))).toHaveLength(10);
    expect(done.stdout).toMatch(/"type":"agents-changed".*"from":1,"to":3.*joined/);
  });

  it('leave secrets where they are: each worker has its own', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}secrets: [API_TOKEN]
params: { token: { type: string, default: none } }
tasks:
  own: { run: 'test "$API_TOKEN" = of-the-worker && test "$PARAM_token" = of-the-worker && test -z "$WAVEPLAN_KEY$WAVEPLAN_REDIS"' }
  item: { foreach: "\${{ [env.API_TOKEN] }}", run: 'true' }
`,
    });
    const redis = await startRedis();
    await startWorker(redis, folder, ['--agents', '1'], { API_TOKEN: 'of-the-worker' });
    const client = new Redis(redis.url);
    const monitor = await client.monitor();
    for (const connection of [client, monitor]) connection.on('error', () => {});
    const seen: string[] = [];
    monitor.on('monitor', (_time: string, words: readonly string[]) => seen.push(words.join(' ')));
    const env = { ...ENV, API_TOKEN: 'of-the-coordinator', WAVEPLAN_REDIS: redis.url };
    const args = ['run', 'plan.yaml', '-y', '-q', '-k', '--executor', 'bullmq', '--overhead', '1ms'];
    const done = await waveplan([...args, '--param', 'token=of-the-coordinator'], { cwd: folder, env });
    monitor.disconnect();
    client.disconnect();
    expect(done.code, done.text).toBe(1);
    const found = Object.fromEntries(
      checkpointsOf(onlyRun(folder)).map(({ task_id, status, error }) => [task_id, [status, error]]),
    );
    expect(found['own']).toEqual(['success', undefined]);
    expect(found['item[0]']).toEqual([
      'failure',
      expect.objectContaining({ message: expect.stringContaining('secrets do not travel') }),
    ]);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.join('\n')).not.toMatch(/of-the-(coordinator|worker)/);
    const inPart = await waveplan([...args, '--param', 'token=Bearer of-the-coordinator'], { cwd: folder, env });
    expect([inPart.code, inPart.stderr]).toEqual([3, expect.stringContaining('param token has a secret in it')]);
  });

  it('carry results above the limit through a shared folder, or fail and say so', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:
  large: { uses: ./large.mjs }
  length: { needs: [large], uses: ./length.mjs }
`,
      'large.mjs': "export default () => 'x'.repeat(1_500_000);\n",
      'length.mjs': "export default async (_, context) => (await context.results('large')).length;\n",
      'shared/.keep': '',
    });
    const redis = await startRedis();
    for (const shared of [[], ['--shared', 'shared']]) {
      const worker = await startWorker(redis, folder, ['--agents', '1', ...shared]);
      const args = ['run', 'plan.yaml', '-y', '-q', '--state-dir', `state-${shared.length}`, ...onWorkers(redis), ...shared];
      const done = await waveplan(args, { cwd: folder, env: ENV });
      expect(done.code, done.text).toBe(shared.length === 0 ? 1 : 0);
      const runs = join(folder, `state-${shared.length}`, 'runs');
      const records = checkpointsOf(join(runs, readdirSync(runs)[0] ?? ''));
      if (shared.length > 0) expect(records.at(-1)).toMatchObject({ task_id: 'length', results: 1_500_000 });
      else expect(records[0]?.error?.message).toContain('give --shared DIR to the worker and to the run');
      worker.signal('SIGTERM');
      await worker.ended;
    }
  });

  it('need a key, a Redis and a worker, and say so', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': `${HEAD}tasks: { one: { run: 'true' } }\n` });
    const redis = await startRedis(['--requirepass', 'tell-nobody']);
    const url = redis.url.replace('//', '//:tell-nobody@');
    const args = ['run', 'plan.yaml', '-y', '--executor', 'bullmq'];
    const keyless = await waveplan([...args, '--redis', url], { cwd: folder });
    expect([keyless.code, keyless.stderr]).toEqual([2, expect.stringContaining('WAVEPLAN_KEY is not set')]);
    const nowhere = await waveplan(args, { cwd: folder, env: ENV });
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('--redis URL')]);
    const wrong = await waveplan([...args, '--redis', url.replace('tell', 'told')], { cwd: folder, env: ENV });
    expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('WRONGPASS')]);
    const alone = await waveplan([...args, '--worker-wait', '1s'], { cwd: folder, env: { ...ENV, WAVEPLAN_REDIS: url } });
    expect([alone.code, alone.stderr]).toEqual([3, expect.stringContaining('there is no worker at redis://:***@127.0.0.1')]);
    expect(alone.stdout).toContain('Waiting for a worker');
    const gone = await waveplan(['worker', '--redis', 'redis://127.0.0.1:1', '--root', '.'], { cwd: folder, env: ENV });
    expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining('cannot be used: connect ECONNREFUSED')]);
    for (const { text } of [keyless, nowhere, wrong, alone]) expect(text).not.toMatch(/t[eo]l[dl]-nobody/);
  });

  it('need libraries that are installed for nothing else', async () => {
    const hide =
      'export const resolve = (name, context, next) => { if (name === "bullmq") throw Object.assign(new Error(name), { code: "ERR_MODULE_NOT_FOUND" }); return next(name, context); };';
    const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hide)}`)});`;
    const env = { ...ENV, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(register)}` };
    const done = await waveplan(['worker', '--redis', 'redis://127.0.0.1:1'], { cwd: tempFolder(), env });
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining('npm install bullmq ioredis')]);
  });

  it('take no worker whose plan, modules or checkout are others, and say why', async () => {
    const files = {
      'plan.yaml': `version: 1\nname: far\ntasks: { one: { uses: ./one.mjs } }\n`,
      'one.mjs': 'export default () => 1;\n',
    };
    const mine = repository(files);
    const [text, module, absent, cloned] = [tempFolder(), tempFolder(), tempFolder(), repository(files)];
    writeFiles(text, { ...files, 'plan.yaml': `${files['plan.yaml']}# changed\n` });
    writeFiles(module, { ...files, 'one.mjs': 'export default () => 2;\n' });
    const redis = await startRedis();
    for (const root of [text, module, absent, cloned]) await startWorker(redis, root, ['--agents', '1']);
    const args = ['run', 'plan.yaml', '-y', '--backup', 'ref', '--worker-wait', '1s', ...onWorkers(redis)];
    const refused = await waveplan(args, { cwd: mine, env: ENV });
    expect(refused.code).toBe(3);
    for (const reason of [
      'plan.yaml is another version of it',
      'one.mjs is not as the coordinator has it',
      'there is no such plan',
      "the backup covers the coordinator's checkout, which this worker does not see",
    ]) {
      expect(refused.stdout).toContain(reason);
    }
    await startWorker(redis, mine, ['--agents', '1']);
    const done = await waveplan(args, { cwd: mine, env: ENV });
    expect(done.code, done.text).toBe(0);
  });
});
