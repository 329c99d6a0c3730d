import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32At } from '../../../src/model/crc32.js';
import { CLOSING_BYTES, closedRecord, closeRecordAt } from '../../../src/model/record-line.js';

describe('the checksum of a record', () => {
  it("is zlib's CRC-32, wherever the bytes stand", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), fc.nat(20), (bytes, before, after) => {
        const data = new Uint8Array(before + bytes.length + after).fill(7);
        data.set(bytes, before);
        expect(crc32At(data, before, before + bytes.length)).toBe(crc32(bytes));
      }),
    );
  });

  it('is the same in a buffer and in a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (name) => {
        const open = JSON.stringify({ task_id: name }).slice(0, -1);
        const data = Buffer.alloc(3 * open.length + CLOSING_BYTES);
        const end = data.write(open);
        const closed = closeRecordAt(data, 0, end);
        expect([closed - end, data.toString('utf8', 0, closed)]).toEqual([CLOSING_BYTES, closedRecord(open)]);
      }),
    );
  });
});
