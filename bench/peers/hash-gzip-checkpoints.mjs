// What somebody would write by hand who wants to lose nothing: bare threads as in hash-gzip-threads.mjs, each of which writes a
// line for every file, with a key, times and a checksum, in groups, and syncs them at its end. Prints the milliseconds from
// the start of the threads to the end of the last.
import { createHash, hash } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread, threadId, Worker, workerData } from 'node:worker_threads';
import { crc32, gzipSync } from 'node:zlib';

const GROUP_CHARACTERS = 64 * 1024;

if (isMainThread) {
  const [list, folder] = process.argv.slice(2);
  const files = JSON.parse(readFileSync(list, 'utf8'));
  const next = new Int32Array(new SharedArrayBuffer(4));
  const begun = performance.now();
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL(import.meta.url), { workerData: { files, next, folder } }),
  );
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve))));
  console.log(performance.now() - begun);
} else {
  const { files, next, folder } = workerData;
  const journal = openSync(`${folder}/checkpoints-${threadId}.ndjson`, 'w');
  let group = '';
  for (let i = Atomics.add(next, 0, 1); i < files.length; i = Atomics.add(next, 0, 1)) {
    const started = performance.now();
    const content = readFileSync(files[i]);
    const results = { hash: createHash('sha256').update(content).digest('hex'), bytes: gzipSync(content).length };
    const ended = performance.now();
    const record = JSON.stringify({
      task_id: `each[${i}]`,
      status: 'success',
      results,
      timestamp: new Date(performance.timeOrigin + ended).toISOString(),
      agent_id: `agent_${threadId}`,
      key: hash('sha256', files[i]),
      started,
      duration_ms: ended - started,
    });
    group += `${record.slice(0, -1)},"crc":${crc32(record)}}\n`;
    if (group.length < GROUP_CHARACTERS) continue;
    writeSync(journal, group);
    group = '';
  }
  writeSync(journal, group);
  fdatasyncSync(journal);
  closeSync(journal);
}
