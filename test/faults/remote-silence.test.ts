import { join } from 'node:path';
import { expect } from 'vitest';
import { fault, linesOf, until } from '../support/faults.js';
import { begun, expectWhole, gatedFolder, run } from '../support/gated-run.js';
import { describeWithRedis, startRedis, startWorker } from '../support/redis.js';
import { checkpointsOf, onlyRun, writeFiles } from '../support/repository.js';

describeWithRedis('one side is silent for long', () => {
  fault(
    46,
    'the coordinator is paused until its workers give it up: it goes on with them, and nothing that ended runs again',
    [],
    async () => {
      const folder = gatedFolder();
      const redis = await startRedis();
      const worker = await startWorker(redis, folder, ['--agents', '2']);
      const running = run(redis, folder);
      await until(() => begun(folder).length === 2, 'the first subtasks');
      const [finished = ''] = begun(folder);
      writeFiles(folder, { [`go-${finished}`]: '' });
      await until(() => linesOf(join(onlyRun(folder), 'wave1.ndjson')).length === 1, 'the first checkpoint');
      running.signal('SIGSTOP');
      await until(() => worker.printed().includes('its coordinator is gone'), 'the worker to give up');
      running.signal('SIGCONT');
      await until(() => running.printed().includes('it gave up this run'), 'the coordinator to notice');
      writeFiles(folder, { go: '' });
      const done = await running.ended;
      expect(done.code, done.text).toBe(0);
      expectWhole(folder);
      expect(begun(folder).filter((item) => item === finished)).toHaveLength(1);
    },
  );

  fault(46, 'Redis is gone for good: the second Ctrl-C ends the run', [], async () => {
    const folder = gatedFolder();
    const redis = await startRedis();
    await startWorker(redis, folder, ['--agents', '2']);
    const running = run(redis, folder);
    await until(() => begun(folder).length === 2, 'the first subtasks');
    await redis.kill();
    running.signal('SIGINT');
    await until(() => running.printed().includes('Again to end it now'), 'the answer to the first Ctrl-C');
    running.signal('SIGINT');
    const done = await running.ended;
    expect(done.code, done.text).toBe(130);
    expect(checkpointsOf(onlyRun(folder)).filter(({ status }) => status === 'success')).toEqual([]);
  });

  fault(46, 'a worker that was stopped for good: the second Ctrl-C ends the run', [], async () => {
    const folder = gatedFolder();
    const redis = await startRedis();
    const worker = await startWorker(redis, folder, ['--agents', '2']);
    const running = run(redis, folder, ['--worker-timeout', '1h']);
    await until(() => begun(folder).length === 2, 'the first subtasks');
    worker.signal('SIGSTOP');
    running.signal('SIGINT');
    await until(() => running.printed().includes('Again to end it now'), 'the answer to the first Ctrl-C');
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(130);
  });
});
