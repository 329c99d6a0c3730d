import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAgents } from '../../../src/plan/agents-setting.js';
import { parseDuration, parsePercent, parseRate, parseSize } from '../../../src/plan/quantities.js';

describe('parseDuration', () => {
  it.each([
    ['200ms', 200],
    ['50 ms', 50],
    ['3s', 3000],
    ['0.3s', 300],
    ['1.5S', 1500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['1h30m', 5_400_000],
    [' 1m 30s ', 90_000],
    ['5e-05s', 0.05],
    ['0', 0],
    ['0s', 0],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: milliseconds });
  });

  it.each(['', ' ', 's', '5', '1.5', '-5s', '3x', '30m1h', '1h1h', '1h30', '5s!', 'NaNs', '1e400s', `${'9'.repeat(100)}s`])(
    'refuses %j with a message that says what to write',
    (text) => {
      const parsed = parseDuration(text);
      expect(parsed.ok).toBe(false);
      expect(!parsed.ok && parsed.error).toMatch(/such as|write|negative/);
    },
  );
});

describe('parseSize', () => {
  it.each([
    ['500MB', 500_000_000],
    ['16GB', 16_000_000_000],
    ['1.5kb', 1500],
    ['512MiB', 536_870_912],
    ['1KiB', 1024],
    ['12B', 12],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(['', '500', 'MB', '0MB', '-1MB', '1XB', '1M'])('refuses %j', (text) => {
    expect(parseSize(text).ok).toBe(false);
  });
});

describe('parseRate', () => {
  it.each([
    ['1000/min', 1000],
    ['10/s', 600],
    ['120/h', 2],
    ['2.5 / second', 150],
  ])('%s is %d per minute', (text, perMinute) => {
    expect(parseRate(text)).toEqual({ ok: true, value: perMinute });
  });

  it.each(['', '10', '10/', '/s', '0/s', '10/fortnight', '-1/s'])('refuses %j', (text) => {
    expect(parseRate(text).ok).toBe(false);
  });
});

describe('parsePercent', () => {
  it('is a share of 1', () => {
    expect(parsePercent('75%')).toEqual({ ok: true, value: 0.75 });
    expect(parsePercent('0.5 %')).toEqual({ ok: true, value: 0.005 });
    expect(parsePercent('100%')).toEqual({ ok: true, value: 1 });
  });

  it.each(['101%', '75', '-1%', '%'])('refuses %j', (text) => {
    expect(parsePercent(text).ok).toBe(false);
  });
});

describe('parseAgents', () => {
  it.each([
    ['auto', { kind: 'auto' }],
    [' AUTO ', { kind: 'auto' }],
    ['50', { kind: 'count', agents: 50 }],
    ['75%', { kind: 'share', share: 0.75 }],
  ])('%s', (text, setting) => {
    expect(parseAgents(text)).toEqual({ ok: true, value: setting });
  });

  it.each(['', 'many', '0', '-3', '1.5', '0%', '101%', '100001', '99999999999999999999', '5 agents'])('refuses %j', (text) => {
    expect(parseAgents(text).ok).toBe(false);
  });
});

it('no text makes a parser throw, and what is accepted is a finite number of 0 or more', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.+-eE%/ msMBKiGhd'.split('')), maxLength: 12 }), (text) => {
      for (const parse of [parseDuration, parseSize, parseRate, parsePercent]) {
        const parsed = parse(text);
        if (parsed.ok) expect(Number.isFinite(parsed.value) && parsed.value >= 0).toBe(true);
      }
    }),
  );
});
