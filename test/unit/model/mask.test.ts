import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/model/json.js';
import { createMask, maskFailure, NO_MASK } from '../../../src/model/mask.js';
import { maskEvent } from '../../../src/model/mask-event.js';
import type { RunEvent } from '../../../src/model/run-event.js';

const TOKEN = 'ghp_9f3Kx/Z+q"7 é$wq';
const mask = createMask([TOKEN]);

function base64(before: string, after = ''): string {
  return Buffer.from(before + TOKEN + after).toString('base64');
}

describe('a mask', () => {
  it.each<[string, string, string]>([
    ['as it is', `token=${TOKEN};`, 'token=***;'],
    ['twice', `${TOKEN}${TOKEN}`, '******'],
    ['percent-encoded', `?t=${encodeURIComponent(TOKEN)}&x`, '?t=***&x'],
    ['percent-encoded in small letters', encodeURIComponent(TOKEN).replace(/%../g, (code) => code.toLowerCase()), '***'],
    ['as a form sends it', `a=${new URLSearchParams({ t: TOKEN }).toString().slice(2)}&b`, 'a=***&b'],
    ['with every byte encoded', [...Buffer.from(TOKEN)].map((byte) => `%${byte.toString(16)}`).join(''), '***'],
    ['in a JSON text', JSON.stringify({ t: TOKEN }), '{"t":"***"}'],
    ['in a JSON text for ASCII', JSON.stringify(TOKEN).replace('é', '\\u00e9').replace('/', '\\/'), '"***"'],
    ['broken over lines', `a ${TOKEN.slice(0, 5)}\n${TOKEN.slice(5, 6)}\r\n${TOKEN.slice(6)} b`, 'a ***\n***\r\n*** b'],
  ])('takes out a secret %s', (_, text, masked) => {
    expect(mask.text(text)).toBe(masked);
    expect(mask.finds(text)).toBe(true);
    expect(mask.finds(masked)).toBe(false);
  });

  it.each(['', 'u:', 'me'])('takes out its base64 behind %j, and leaves what is beside it', (before) => {
    for (const text of [
      base64(before),
      base64(before, ':and more'),
      Buffer.from(base64(before), 'base64').toString('base64url'),
    ]) {
      const masked = mask.text(text);
      expect(masked).toContain('***');
      // At the seams, characters are left that hold up to four bits of the secret.
      expect(masked.replace('***', '').length).toBeLessThan(text.length - Math.floor((TOKEN.length * 4) / 3) + 4);
    }
  });

  it('takes out base64 that is wrapped', () => {
    const long = 'x'.repeat(40) + TOKEN + 'y'.repeat(60);
    const wrapped = Buffer.from(long).toString('base64').replace(/.{76}/g, '$&\n');
    expect(
      createMask([long])
        .text(wrapped)
        .replace(/[*\n=]/g, '').length,
    ).toBeLessThan(3);
  });

  it('takes out the longer of two secrets that begin alike, and both where they stand', () => {
    expect(createMask(['abcd', 'abcdefgh']).text('abcdefgh abcd')).toBe('*** ***');
  });

  it('takes out each line of a secret of several lines, and keeps their number', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
    const masked = createMask([key]);
    expect(masked.text(`a\n${key}b`)).toBe('a\n***\n***\n***\n***\nb');
    expect(masked.text('line: kqhkiG9w0BAQEF')).toBe('line: ***');
    expect(masked.text(key.replaceAll('\n', '\r\n'))).not.toContain('BADANBg');
    expect(masked.json(key.trimEnd().split('\n'))).toEqual(['***', '***', '***', '***']);
  });

  it('takes out what is left of a secret that a cut went through', () => {
    expect(mask.text(`[5 bytes cut]\n${TOKEN.slice(8)} and more`)).toBe('[5 bytes cut]\n*** and more');
    const marked = '[5 bytes cut: the last 16 KiB are kept]\n';
    expect(mask.text(`${marked}${TOKEN.slice(8)} and more`)).toBe(`${marked}*** and more`);
    expect(mask.text(`[at least 5 bytes cut: the last 16 KiB are kept]\n${TOKEN.slice(8)} and more`)).toContain(
      ']\n*** and more',
    );
    expect(mask.text(`[5 bytes cut]\n${TOKEN.slice(-3)} and more`)).toBe(`[5 bytes cut]\n${TOKEN.slice(-3)} and more`);
    expect(mask.text(`[5 bytes cut]\n\ufffd\ufffd${TOKEN.slice(8)}`)).toBe('[5 bytes cut]\n\ufffd\ufffd***');
    expect(mask.text(`${TOKEN.slice(8)} is a text like any other`)).toBe(`${TOKEN.slice(8)} is a text like any other`);
    expect(mask.cutText(`failed: ${TOKEN.slice(0, 9)}`)).toBe('failed: ***');
    expect(mask.cutText(`${TOKEN.slice(4)} failed`)).toBe('*** failed');
    expect(mask.cutText(`failed: ${base64('').slice(0, 12)}`)).toBe('failed: ***');
    expect(mask.cutText('nothing of the kind')).toBe('nothing of the kind');
  });

  it('masks texts, keys and numbers in a value', () => {
    const numbers = createMask(['12345678']);
    expect(mask.json({ [TOKEN]: [TOKEN, 1, null, { a: `x${TOKEN}` }] })).toEqual({ '***': ['***', 1, null, { a: 'x***' }] });
    expect(numbers.json([12345678, 1234567, 0.12345678, true])).toEqual(['***', 1234567, '***', true]);
  });

  it('masks a secret that goes on in the next line of a list of lines', () => {
    expect(mask.json(['a', TOKEN.slice(0, 6), TOKEN.slice(6), 'b'])).toEqual(['a', '***', '***', 'b']);
  });

  it('leaves everything as it is where there are no secrets', () => {
    expect(createMask([])).toBe(NO_MASK);
    expect(NO_MASK.text(TOKEN)).toBe(TOKEN);
  });

  it('masks the texts of a failure', () => {
    const failure = { kind: 'module', message: `Error: ${TOKEN}`, stack: `Error\n at ${TOKEN.slice(0, 8)}` } as const;
    expect(maskFailure(failure, mask)).toEqual({ kind: 'module', message: 'Error: ***', stack: 'Error\n at ***' });
  });
});

describe('whatever the secret and the text around it', () => {
  const character = fc.constantFrom(...('abcABC019+/=_-.%$"\'\\ {}()[]|^?<>&é漢😀'.match(/./gu) ?? []));
  const secret = fc.string({ unit: character, minLength: 4, maxLength: 24 });
  const around = fc.string({ unit: fc.constantFrom('x', 'y', ' ', '\n', '#', 'ß'), maxLength: 6 });

  it('no form of it is left', () => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const { text } = createMask([value]);
        const json = JSON.stringify(value).slice(1, -1);
        for (const form of [value, encodeURIComponent(value), new URLSearchParams({ a: value }).toString().slice(2), json]) {
          expect(text(before + form + after)).not.toContain(form);
        }
        const characters = [...value];
        for (let at = 1; at < characters.length; at++) {
          const broken = `${characters.slice(0, at).join('')}\n${characters.slice(at).join('')}`;
          expect(text(before + broken + after).replaceAll('\n', '')).not.toContain(value);
        }
      }),
    );
  });

  it('none of its base64 is left but what belongs to the bytes beside it', () => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        for (const encoding of ['base64', 'base64url'] as const) {
          const masked = createMask([value]).text(Buffer.from(before + value + after).toString(encoding));
          const own = Math.ceil((Buffer.byteLength(before) * 8) / 6) + Math.ceil((Buffer.byteLength(after) * 8) / 6) + 4;
          expect(masked.replaceAll('***', '').length).toBeLessThanOrEqual(own);
        }
      }),
    );
  });

  it('a text without it stays as it is, and masking twice is masking once', () => {
    fc.assert(
      fc.property(secret, fc.string({ unit: fc.constantFrom('~', ':', ';', '\n', 'Q', 'ß') }), (value, text) => {
        const one = createMask([value]);
        expect(one.text(text)).toBe(text);
        const masked = one.text(text + value + text);
        expect(one.text(masked)).toBe(masked);
      }),
    );
  });

  it('in a value, nothing else changes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const value = JSON.parse(JSON.stringify(given)) as JsonValue;
        expect(createMask(['\u2603\u2603\u2603\u2603secret']).json(value)).toEqual(value);
      }),
    );
  });
});

describe('an event', () => {
  it('is masked but for names, codes, hashes and figures', () => {
    const wide = createMask(['task', 'success', 'abc123', '1700000000000']);
    const event: RunEvent = {
      type: 'subtask-finished',
      at: 1_700_000_000_000,
      task: 'task',
      log: 'a success',
      checkpoint: {
        wave: 1,
        task_id: 'task',
        status: 'success',
        results: { stdout: 'task', n: 1_700_000_000_000 },
        timestamp: '2024-01-15T14:30:45.123Z',
        agent_id: 'agent_1',
        key: 'abc123',
        attempt: 1,
        started: 1_700_000_000_000,
        duration_ms: 1,
        error: { kind: 'success', message: 'no success' },
      },
    };
    expect(maskEvent(event, wide)).toEqual({
      ...event,
      log: 'a ***',
      checkpoint: { ...event.checkpoint, results: { stdout: '***', n: '***' }, error: { kind: 'success', message: 'no ***' } },
    });
  });

  it('is masked in texts that are not of a subtask', () => {
    expect(maskEvent({ type: 'warning', at: 1, message: `left: ${TOKEN}` }, mask)).toMatchObject({ message: 'left: ***' });
    expect(maskEvent({ type: 'subtask-skipped', at: 1, wave: 1, task: 'a', subtask: 'a', reason: TOKEN }, mask)).toMatchObject({
      reason: '***',
    });
  });
});
