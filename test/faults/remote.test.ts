import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { JobText } from '../../src/remote/protocol.js';
import type { Sealed } from '../../src/remote/wire.js';
import { waveplan } from '../support/cli.js';
import { fault, linesOf, until } from '../support/faults.js';
import { begun, ENV, expectWhole, gatedFolder, ITEMS, run } from '../support/gated-run.js';
import { describeWithRedis, onWorkers, startRedis, startWorker } from '../support/redis.js';
import { onlyRun, writeFiles } from '../support/repository.js';

describeWithRedis('workers on other machines', () => {
  fault(24, 'Redis dies and comes back without its data: nothing is lost, and nothing runs twice', [], async () => {
    const folder = gatedFolder();
    const redis = await startRedis();
    for (let i = 0; i < 2; i++) await startWorker(redis, folder, ['--agents', '2']);
    const running = run(redis, folder);
    await until(() => begun(folder).length === 4, 'the first subtasks');
    await redis.kill();
    // What ends while there is no Redis is told when there is one again.
    for (const item of [0, 1, 2, 3]) writeFiles(folder, { [`go-${item}`]: '' });
    await until(() => linesOf(join(folder, 'ended')).length === 4, 'the ends of the first subtasks');
    await redis.startAgain();
    await until(() => begun(folder).length === 8, 'the other subtasks');
    writeFiles(folder, { go: '' });
    const done = await running.ended;
    expect(done.code, done.text).toBe(0);
    expectWhole(folder);
    expect(begun(folder)).toHaveLength(ITEMS);
  });

  fault(24, 'a worker is killed: what it had runs elsewhere, what it had finished does not', [], async () => {
    const folder = gatedFolder();
    const redis = await startRedis();
    const first = await startWorker(redis, folder, ['--agents', '2']);
    const running = run(redis, folder, ['--agents', '4']);
    await until(() => begun(folder).length === 2, 'the subtasks of the first worker');
    writeFiles(folder, { [`go-${begun(folder)[0]}`]: '' });
    await until(() => begun(folder).length === 3, 'the next subtask');
    first.signal('SIGKILL');
    await startWorker(redis, folder, ['--agents', '2']);
    writeFiles(folder, { go: '' });
    const done = await running.ended;
    expect(done.code, done.text).toBe(0);
    expectWhole(folder);
    expect(done.stdout).toMatch(/worker .* is gone: nothing was heard of it/);
    expect(begun(folder).filter((item) => item === begun(folder)[0])).toHaveLength(1);
  });

  fault(24, 'a worker is paused for too long: the others take over, and what it says afterwards is dropped', [], async () => {
    const folder = gatedFolder();
    const redis = await startRedis();
    const paused = await startWorker(redis, folder, ['--agents', '2']);
    const running = run(redis, folder, ['--agents', '10']);
    await until(() => begun(folder).length === 2, 'the subtasks of the first worker');
    paused.signal('SIGSTOP');
    const held = [...begun(folder)];
    await startWorker(redis, folder, ['--agents', '8']);
    await until(() => held.every((item) => begun(folder).filter((other) => other === item).length === 2), 'the other worker');
    paused.signal('SIGCONT');
    await until(() => running.printed().includes('came back'), 'its return');
    writeFiles(folder, { go: '' });
    const done = await running.ended;
    expect(done.code, done.text).toBe(0);
    expectWhole(folder);
  });

  fault(24, 'forged, replayed and tampered jobs are refused, logged and reported', [], async () => {
    const folder = gatedFolder();
    const redis = await startRedis();
    const worker = await startWorker(redis, folder, ['--agents', '1']);
    const client = new Redis(redis.url, { maxRetriesPerRequest: null });
    const [beat = ''] = await client.keys('waveplan:worker:*');
    const queue = new Queue(`jobs-${beat.split(':').at(-1)}`, { connection: client, prefix: 'waveplan' });
    // The worker takes nothing from its queue until the job was seen.
    await queue.pause();
    const running = run(redis, folder);
    let genuine: Sealed | undefined;
    await until(() => {
      void queue.getJobs(['wait']).then(([first]) => {
        genuine ??= first?.data as Sealed | undefined;
      });
      return genuine !== undefined;
    }, `a job in the queue of ${beat}`);
    if (genuine === undefined) throw new Error('no job was seen');
    const job = JSON.parse(genuine.text) as JobText;
    await queue.resume();
    await until(() => begun(folder).length === 1, 'the genuine job');
    const forged: readonly unknown[] = [
      genuine,
      { ...genuine, text: JSON.stringify({ ...job, task: 'last', serial: 99, chunk: 99 }) },
      { text: JSON.stringify({ ...job, serial: 98 }), seal: 'none' },
      { run: 'touch forged' },
      'rm -rf .',
    ];
    for (const data of forged) await queue.add('chunk', data, { removeOnComplete: true });
    await until(() => worker.printed().match(/refused/g)?.length === forged.length, 'five refusals');
    writeFiles(folder, { go: '' });
    const done = await running.ended;
    await queue.close();
    client.disconnect();
    expect(done.code, done.text).toBe(0);
    expectWhole(folder);
    expect(begun(folder)).toHaveLength(ITEMS);
    expect(existsSync(join(folder, 'forged'))).toBe(false);
    expect(worker.printed()).toContain("refused a job of task 'gated': it was sent before: a replay");
    expect(worker.printed().match(/refused a job without a seal that holds: forged, or changed on its way/g)).toHaveLength(4);
    const report = readFileSync(join(onlyRun(folder), 'report.md'), 'utf8');
    expect(report).toContain('it was sent before: a replay');
    expect(report).toContain('forged, or changed on its way');
  });

  fault(24, 'the coordinator is killed: its workers stop, and the run goes on with workers, or without', [], async () => {
    const redis = await startRedis();
    for (const how of ['workers', 'threads']) {
      const folder = gatedFolder();
      const worker = await startWorker(redis, folder, ['--agents', '2']);
      const running = run(redis, folder);
      await until(() => begun(folder).length === 2, 'the first subtasks');
      const [finished = ''] = begun(folder);
      writeFiles(folder, { [`go-${finished}`]: '' });
      await until(() => linesOf(join(onlyRun(folder), 'wave1.ndjson')).length === 1, 'the first checkpoint');
      running.signal('SIGKILL');
      await until(() => worker.printed().includes('its coordinator is gone'), 'the worker to notice');
      writeFiles(folder, { go: '' });
      const more = how === 'workers' ? onWorkers(redis) : [];
      const done = await waveplan(['resume', '-y', ...more.filter((word) => !/^(--overhead|1ms)$/.test(word))], {
        cwd: folder,
        env: ENV,
      });
      expect(done.code, done.text).toBe(0);
      expectWhole(folder);
      expect(begun(folder).filter((item) => item === finished)).toHaveLength(1);
      worker.signal('SIGTERM');
      await worker.ended;
    }
  });
});
