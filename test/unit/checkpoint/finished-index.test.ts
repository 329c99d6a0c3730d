import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FinishedIndex, readFinished, type VoidedRecords } from '../../../src/checkpoint/finished-index.js';
import { KeyTable } from '../../../src/checkpoint/key-table.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { contentHash } from '../../../src/model/ids.js';
import { toRecordLine } from '../../../src/model/record-line.js';
import { temporaryFolder, value } from './repo.js';

const key = (n: number) => contentHash(`key ${n}`);

function line(n: number, fields: Partial<Checkpoint> = {}): string {
  return toRecordLine({
    wave: 1,
    task_id: `many[${n}]`,
    status: 'success',
    results: { n },
    timestamp: '2026-01-01T12:00:00.000Z',
    agent_id: 'agent_1',
    key: key(n),
    attempt: 1,
    started: 1,
    duration_ms: 2,
    ...fields,
  });
}

async function read(folder: string, options: { readonly voided?: readonly VoidedRecords[]; readonly repair?: boolean } = {}) {
  return value(await readFinished(folder, { voided: [], repair: false, ...options }));
}

function found(index: FinishedIndex, n: number, options: { readonly failures?: boolean } = {}): unknown {
  const finished = index.finished({ failures: false, voided: new Set(), ...options });
  const checkpoint = finished.find('many', key(n));
  finished.close();
  return checkpoint?.results;
}

describe('the records of a run', () => {
  it('are found by task and key, the last one of each, across waves', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'wave1.ndjson'),
      line(1) + line(2, { status: 'failure', results: null }) + line(3) + line(3, { results: 'later' }),
    );
    writeFileSync(join(folder, 'wave2.ndjson'), line(2, { wave: 2 }) + line(9, { wave: 2, task_id: 'other', status: 'failure' }));
    const index = await read(folder);
    expect([1, 2, 3, 4].map((n) => found(index, n))).toEqual([{ n: 1 }, { n: 2 }, 'later', undefined]);
    expect(Object.fromEntries(index.tasks)).toEqual({ many: { success: 3, failed: 0 }, other: { success: 0, failed: 1 } });
    const finished = index.finished({ failures: true, voided: new Set(['many']) });
    expect(finished.find('other', key(9))?.status).toBe('failure');
    expect(finished.find('other', key(1))).toBeUndefined();
    expect(finished.find('many', key(1))).toBeUndefined();
    finished.close();
  });

  it('of failures count only where they are wanted', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'wave1.ndjson'), line(1, { status: 'failure' }));
    const index = await read(folder);
    expect([found(index, 1), found(index, 1, { failures: true })]).toEqual([undefined, { n: 1 }]);
  });

  it('count no more up to where an edit of the plan made them void', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'wave1.ndjson');
    writeFileSync(file, line(1) + line(2));
    const { ends } = await read(folder);
    appendFileSync(file, line(2, { results: 'new' }) + line(5, { task_id: 'other' }));
    const index = await read(folder, { voided: [{ ends, tasks: ['many'] }] });
    expect([1, 2].map((n) => found(index, n))).toEqual([undefined, 'new']);
    expect(index.tasks.get('many')).toEqual({ success: 1, failed: 0 });
  });

  it('cut at every byte of the last one, lose that one only, and the file can be continued', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'wave1.ndjson');
    const [kept, last] = [line(1) + line(2), line(3)];
    for (let size = 1; size < last.length; size++) {
      writeFileSync(file, kept + last);
      truncateSync(file, kept.length + size);
      const looked = await read(folder);
      expect(statSync(file).size, 'reading alone changes nothing').toBe(kept.length + size);
      expect(looked.warnings[0]).toContain(`its last ${size} bytes are no whole record and will be cut off`);
      const index = await read(folder, { repair: true });
      expect(index.warnings[0]).toContain('were cut off');
      expect(readFileSync(file, 'utf8')).toBe(kept);
      expect([1, 2, 3].map((n) => found(index, n))).toEqual([{ n: 1 }, { n: 2 }, undefined]);
    }
    appendFileSync(file, last);
    expect(found(await read(folder), 3)).toEqual({ n: 3 });
  });

  it('with zeros at the end or a flipped bit in the middle lose what was there, and say so', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'wave1.ndjson');
    const bytes = Buffer.from(`${line(1)}${line(2)}${line(3)}\0\0\0\0`);
    const at = line(1).length + 30;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const index = await read(folder, { repair: true });
    expect([1, 2, 3].map((n) => found(index, n))).toEqual([{ n: 1 }, undefined, { n: 3 }]);
    expect(index.warnings).toEqual([
      `${file}: line 2 is damaged; what it held runs again`,
      `${file}: its last 4 bytes are no whole record and were cut off; what they held runs again`,
    ]);
    expect(statSync(file).size).toBe(bytes.length - 4);
  });

  it('that are gone by the time they are asked for run again', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'wave1.ndjson');
    writeFileSync(file, line(1));
    const index = await read(folder);
    writeFileSync(file, 'x'.repeat(500));
    expect(found(index, 1)).toBeUndefined();
  });
});

describe('the table of keys', () => {
  it('holds what a map would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ n: fc.nat({ max: 60 }), offset: fc.nat(), success: fc.boolean() }), { maxLength: 300 }),
        (sets) => {
          const table = new KeyTable();
          const map = new Map<string, unknown>();
          for (const { n, offset, success } of sets) {
            const place = { wave: n, offset, bytes: 7, success };
            expect(table.set(key(n), place)).toEqual(map.get(key(n)));
            map.set(key(n), place);
          }
          expect(table.size).toBe(map.size);
          for (let n = 0; n <= 61; n++) expect(table.get(key(n))).toEqual(map.get(key(n)));
        },
      ),
    );
  });

  it('takes about 50 MB for a million keys', () => {
    const before = process.memoryUsage().arrayBuffers;
    const table = new KeyTable();
    // Keys as they are, spread over all digits, without the price of a million hashes.
    for (let n = 0; n < 1_000_000; n++) {
      const hex = (Math.imul(n, 2_654_435_761) >>> 0).toString(16).padStart(8, '0') + n.toString(16).padStart(8, '0');
      table.set(hex, { wave: 1, offset: n * 300, bytes: 299, success: true });
    }
    expect(table.size).toBe(1_000_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(110e6);
  });
});
