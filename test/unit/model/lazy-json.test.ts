import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/model/json.js';
import { LazyJson } from '../../../src/model/lazy-json.js';

describe('LazyJson', () => {
  it('gives the value of its text and the text of its value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(LazyJson.ofValue(value as JsonValue).text).toBe(text);
        expect(LazyJson.ofText(text).value).toEqual(JSON.parse(text));
      }),
    );
  });

  it('makes a value once', () => {
    const json = LazyJson.ofText('{"list":[]}');
    expect(json.value).toBe(json.value);
  });
});
