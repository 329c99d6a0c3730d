// The limit of the real job: hash and gzip every file of a list, one after the other, in one plain script.
// Prints the milliseconds of the work alone.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const files = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const begun = performance.now();
let bytes = 0;
for (const file of files) {
  const content = readFileSync(file);
  createHash('sha256').update(content).digest('hex');
  bytes += gzipSync(content).length;
}
console.log(performance.now() - begun, bytes);
