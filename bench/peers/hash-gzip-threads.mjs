// What this machine has to give for the real job: as many bare threads as it has cores, each taking the next file of the list
// until none is left, with nothing written down. Prints the milliseconds from their start to the end of the last.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

if (isMainThread) {
  const files = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const next = new Int32Array(new SharedArrayBuffer(4));
  const begun = performance.now();
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL(import.meta.url), { workerData: { files, next } }),
  );
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve))));
  console.log(performance.now() - begun);
} else {
  const { files, next } = workerData;
  for (let i = Atomics.add(next, 0, 1); i < files.length; i = Atomics.add(next, 0, 1)) {
    const content = readFileSync(files[i]);
    createHash('sha256').update(content).digest('hex');
    gzipSync(content);
  }
}
