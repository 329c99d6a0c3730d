import { describe, expect, it } from 'vitest';
import { Sealer, sealerFrom } from '../../../src/remote/seal.js';

const sealer = new Sealer('0123456789abcdef');

describe('a seal', () => {
  it('holds for what was sealed, with the same key alone', () => {
    const seal = sealer.seal('job', ['text', Buffer.from([0, 255])]);
    expect(sealer.holds('job', ['text', Buffer.from([0, 255])], seal)).toBe(true);
    expect(new Sealer('0123456789abcdef').holds('job', ['text', Buffer.from([0, 255])], seal)).toBe(true);
    expect(new Sealer('another key, as long').holds('job', ['text', Buffer.from([0, 255])], seal)).toBe(false);
  });

  it.each([
    ['another kind', 'post', ['ab', 'c']],
    ['another text', 'job', ['ab', 'd']],
    ['the same text cut elsewhere', 'job', ['a', 'bc']],
    ['fewer parts', 'job', ['abc']],
    ['a part more', 'job', ['ab', 'c', '']],
  ] as const)('does not hold for %s', (_, kind, parts) => {
    expect(sealer.holds(kind, parts, sealer.seal('job', ['ab', 'c']))).toBe(false);
  });

  it('is not to be had by leaving it out, or by a part of it', () => {
    const seal = sealer.seal('job', ['text']);
    for (const other of ['', seal.slice(1), `${seal}A`, 'none']) expect(sealer.holds('job', ['text'], other)).toBe(false);
  });
});

it('a key must be there, and long enough', () => {
  expect(sealerFrom(undefined)).toMatchObject({ ok: false, error: { message: expect.stringContaining('is not set') } });
  expect(sealerFrom('')).toMatchObject({ ok: false });
  expect(sealerFrom('short')).toMatchObject({ ok: false, error: { message: expect.stringContaining('shorter than 16') } });
  expect(sealerFrom('0123456789abcdef').ok).toBe(true);
});
