// The peer: plain BullMQ, one job a task, added in bulk, with workers in processes of their own.
// Arguments: the URL of Redis, how many thousand tasks, worker processes, jobs at a time in each.
// Prints the milliseconds from the first job's addition to the last one's completion.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const [url, thousands, processes, concurrency] = process.argv.slice(2);
const name = `plain-${process.pid}`;
const connection = new Redis(url, { maxRetriesPerRequest: null });
const queue = new Queue(name, { connection });
let left = Number(thousands) * 1000;
let finished;
const allDone = new Promise((resolve) => {
  finished = resolve;
});
const workers = Array.from({ length: Number(processes) }, () =>
  fork(fileURLToPath(new URL('./plain-worker.mjs', import.meta.url)), [url, name, concurrency]),
);
await Promise.all(workers.map((worker) => new Promise((ready) => worker.once('message', ready))));
for (const worker of workers) {
  worker.on('message', ({ done }) => {
    left -= done;
    if (left === 0) finished();
  });
}
const begun = performance.now();
for (let i = 0; i < Number(thousands); i++) {
  await queue.addBulk(
    Array.from({ length: 1000 }, (_, n) => ({ name: 'task', data: i * 1000 + n, opts: { removeOnComplete: true } })),
  );
}
await allDone;
console.log(performance.now() - begun);
for (const worker of workers) worker.disconnect();
await queue.obliterate({ force: true });
await queue.close();
connection.disconnect();
