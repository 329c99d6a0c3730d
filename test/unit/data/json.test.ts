import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExact } from '../../../src/data/exact-number.js';
import { isTooDeep, MAX_JSON_DEPTH, parseJson } from '../../../src/data/json.js';

function problem(text: string): string | undefined {
  const value = parseJson(text);
  return value.ok ? undefined : `${value.error.line}:${value.error.column}: ${value.error.message}`;
}

describe('exact numbers', () => {
  it.each([
    '0',
    '-0',
    '0.0',
    '0e999',
    '1',
    '-1.50',
    '0.1',
    '0.30000000000000004',
    '0.10000000000000001',
    '1e3',
    '1E+3',
    '1.5e300',
    '9007199254740992',
    '9007199254740994',
    '100000000000000000000',
    '1e23',
    '9.9999999999999992e+22',
    '123456789012345.00',
    '0.1000000000000000055511151231257827',
    '5e-324',
    '1.7976931348623157e308',
    '.5',
    '+1.',
  ])('%s is', (literal) => {
    expect(isExact(literal)).toBe(true);
  });

  it.each([
    '9007199254740993',
    '-9007199254740993',
    '9007199254740993.0',
    '9.007199254740993e15',
    '9007199254740993e0',
    '12345678901234567890',
    '18446744073709551615',
    '123456789012345678e2',
    '1e400',
    '-1e400',
    '1e-400',
    '4e-324',
    '1.2345e-320',
    '3.141592653589793238',
    '1234567890.123456789',
  ])('%s is not', (literal) => {
    expect(isExact(literal)).toBe(false);
  });

  it('are all whole numbers that come out as they were written, and no others', () => {
    const digits = fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n });
    const near = fc.bigInt({ min: 2n ** 53n - 50n, max: 2n ** 53n + 50n });
    fc.assert(
      fc.property(fc.oneof(digits, near), (whole) => {
        const [, mantissa = '', fraction = '', exponent = '0'] =
          /^(-?\d+)\.?(\d*)(?:e\+?(\d+))?$/.exec(String(Number(whole))) ?? [];
        const written = BigInt(mantissa + fraction) * 10n ** BigInt(Number(exponent) - fraction.length);
        expect(isExact(String(whole))).toBe(written === whole);
      }),
    );
  });

  it('are all numbers that JavaScript writes', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => isExact(JSON.stringify(value))));
  });
});

describe('JSON', () => {
  it('is read as the engine reads it where its numbers are exact', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  it('is refused where the engine refuses it, with a place in the text', () => {
    const cut = fc
      .tuple(fc.json(), fc.nat(), fc.nat(3), fc.string({ maxLength: 2, unit: fc.constantFrom(...'[]{},:"\\1eE-+.tnu0\n ') }))
      .map(([text, at, removed, added]) => {
        const begin = at % (text.length + 1);
        return text.slice(0, begin) + added + text.slice(begin + removed);
      });
    fc.assert(
      fc.property(fc.oneof(cut, fc.string({ unit: fc.constantFrom(...'[]{},:"\\1eE-+.0\n ') })), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const found = parseJson(text);
        if (!valid) {
          expect(found).toMatchObject({
            ok: false,
            error: { message: expect.stringMatching(/^not JSON: expected|^not JSON: (the|a) /) },
          });
        } else if (!found.ok) expect(found.error.message).toMatch(/^the number /);
      }),
      { numRuns: 1000 },
    );
  });

  it('has a place for every mistake', () => {
    expect(problem('{"id": 9007199254740993}')).toBe(
      '1:8: the number 9007199254740993 would become 9007199254740992: write it as text, in quotes',
    );
    expect(problem('[\r\n-1e400]')).toBe('2:1: the number -1e400 is too large: write it as text, in quotes');
    expect(problem('["9007199254740993", "1e400 \\" 1e400", "\\\\"]')).toBeUndefined();
    expect(problem('{"a": 1,}')).toBe("1:9: not JSON: expected a key in double quotes, found '}'");
    expect(problem('"a\nb"')).toBe('1:3: not JSON: a text holds a line break: write it as \\n');
    expect(problem('\ufeff[1')).toBe("1:3: not JSON: expected ',' or ']', found the end, and a [ is not closed");
  });

  it('has one value for keys that are equal, the last, and no prototype from outside', () => {
    const value = parseJson('{"a": 1, "a": 2, "__proto__": {"x": 3}}');
    expect(value).toEqual({ ok: true, value: JSON.parse('{"a": 2, "__proto__": {"x": 3}}') });
    expect(value.ok && Object.keys(value.value as object)).toEqual(['a', '__proto__']);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it.each(['[', '{"a":'])('is at most %s deep', (open) => {
    const deep = (levels: number) => `${open.repeat(levels)}1${(open === '[' ? ']' : '}').repeat(levels)}`;
    expect(problem(deep(MAX_JSON_DEPTH))).toBeUndefined();
    expect(problem(deep(MAX_JSON_DEPTH + 1))).toMatch(/^1:\d+: the JSON is nested more than 500 levels deep$/);
    expect(problem(open.repeat(5_000_000))).toMatch(/nested more than 500 levels deep/);
    expect(isTooDeep(deep(MAX_JSON_DEPTH), MAX_JSON_DEPTH)).toBe(false);
    expect(isTooDeep(deep(MAX_JSON_DEPTH + 1), MAX_JSON_DEPTH)).toBe(true);
  });
});
