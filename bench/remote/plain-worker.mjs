// The peer's worker: BullMQ with one job a task, each of which does nothing. Says when it is ready, and how many it has done.
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [url, queue, concurrency] = process.argv.slice(2);
const connection = new Redis(url, { maxRetriesPerRequest: null });
let done = 0;
const worker = new Worker(queue, async () => null, {
  connection,
  concurrency: Number(concurrency),
  removeOnComplete: { count: 0 },
});
worker.on('completed', () => {
  done += 1;
});
setInterval(() => {
  if (done > 0) process.send({ done });
  done = 0;
}, 10);
await worker.waitUntilReady();
process.send({ ready: true });
process.on('disconnect', () => process.exit());
