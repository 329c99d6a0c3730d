import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOG_BYTES, SubtaskLog } from '../../../src/actions/subtask-log.js';
import { amount, Tail } from '../../../src/actions/tail.js';

function tailOf(limit: number, ...texts: readonly string[]): Tail {
  const tail = new Tail(limit);
  for (const text of texts) tail.push(Buffer.from(text));
  return tail;
}

describe('Tail', () => {
  it('keeps everything up to its limit', () => {
    const tail = tailOf(6, 'abc', '', 'def');
    expect([tail.dropped, tail.text()]).toEqual([0, 'abcdef']);
  });

  it('keeps the end beyond it, and says how much it cut', () => {
    const tail = tailOf(6, 'abc', 'def', 'g');
    expect([tail.dropped, tail.text()]).toEqual([1, '[1 bytes cut: the last 6 bytes are kept]\nbcdefg']);
  });

  it('is empty at first', () => {
    expect([tailOf(6).dropped, tailOf(6).text()]).toEqual([0, '']);
  });

  it('goes on after it was read', () => {
    const tail = tailOf(4, 'abcdef');
    expect(tail.text()).toBe('[2 bytes cut: the last 4 bytes are kept]\ncdef');
    tail.push(Buffer.from('gh'));
    expect(tail.text()).toBe('[4 bytes cut: the last 4 bytes are kept]\nefgh');
  });

  it('puts characters together that come in two chunks', () => {
    const bytes = Buffer.from('a€b');
    const tail = new Tail(100);
    tail.push(bytes.subarray(0, 2));
    tail.push(bytes.subarray(2));
    expect(tail.text()).toBe('a€b');
  });

  it('keeps the same, however its input is cut into chunks', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 100 }), fc.array(fc.nat({ max: 30 })), (pieces, limit, readAfter) => {
        const tail = new Tail(limit);
        for (const [i, piece] of pieces.entries()) {
          tail.push(Buffer.from(piece));
          if (readAfter.includes(i)) tail.text();
        }
        const whole = Buffer.concat(pieces);
        const cut = Math.max(0, whole.length - limit);
        expect(tail.dropped).toBe(cut);
        expect(tail.text()).toBe(
          `${cut === 0 ? '' : `[${cut} bytes cut: the last ${amount(limit)} are kept]\n`}${whole.subarray(cut).toString('utf8')}`,
        );
      }),
    );
  });
});

describe('SubtaskLog', () => {
  it('keeps the end of what a subtask says', () => {
    const log = new SubtaskLog('example');
    log.write('first\n');
    log.write('x'.repeat(LOG_BYTES));
    expect(log.text()).toBe(`[6 bytes cut: the last 64 KiB are kept]\n${'x'.repeat(LOG_BYTES)}`);
  });
});
