import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromRecordLine } from '../../../src/data/checkpoint-line.js';
import { CLOSING_BYTES, closedRecord } from '../../../src/model/record-line.js';

describe('a record', () => {
  it('is closed by the CRC-32 of its bytes, as zlib has it', () => {
    // The check value of the polynomial: CRC-32 of the digits 1 to 9.
    expect(closedRecord('123456789')).toBe('123456789,"crc":"cbf43926"}\n');
  });

  it('is read again whatever is in it, and not when a byte of it is another', () => {
    const fields = { wave: 1, task_id: 'each[1]', status: 'success', timestamp: '', agent_id: 'agent_1', key: 'k' } as const;
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 100 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (results, at, by) => {
          const open = JSON.stringify({ ...fields, results }).slice(0, -1);
          const line = Buffer.from(closedRecord(open));
          expect(line.length).toBe(Buffer.byteLength(open) + CLOSING_BYTES);
          const record = line.subarray(0, -1);
          expect(fromRecordLine(record)).toEqual({ ...fields, results });
          const place = at % record.length;
          record[place] = (record[place] ?? 0) ^ by;
          expect(fromRecordLine(record)).toBeUndefined();
        },
      ),
    );
  });
});
