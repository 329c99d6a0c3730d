import type { Failure } from './failure.js';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { secretForms } from './secret-forms.js';

/** What stands in place of a secret. */
const MASKED = '***';

/** A shorter value would be found in places that have nothing to do with it. */
export const MIN_SECRET_LENGTH = 4;

/** The first line of an output of which only the end was kept (`Tail` writes it). */
const CUT_MARK = /^\[(?:at least )?\d+ bytes cut(?:: the last \d+ (?:bytes|KiB) are kept)?\]\n\ufffd*/;

/** Takes the values of secrets out of whatever is about to be shown or stored. */
export interface Mask {
  /**
   * The text without secrets: as they are, percent-encoded, as in a JSON text, in base64 at any alignment, and broken
   * over lines. Of an output whose beginning was cut, also the rest of a secret that the cut went through.
   */
  readonly text: (text: string) => string;
  /** The same for a text of bounded length, whose ends may have cut a secret in two. */
  readonly cutText: (text: string) => string;
  /** The same for every text and key in a value, and for numbers; in a list of lines also what goes on in the next one. */
  readonly json: (value: JsonValue) => JsonValue;
  /** Whether a text has a secret in it. */
  readonly finds: (text: string) => boolean;
}

/** For runs without secrets. */
export const NO_MASK: Mask = { text: (text) => text, cutText: (text) => text, json: (value) => value, finds: () => false };

/** A mask for the values of secrets, each at least `MIN_SECRET_LENGTH` long. */
export function createMask(values: readonly string[]): Mask {
  if (values.length === 0) return NO_MASK;
  // Longer ones first: one secret may begin with another.
  const forms = [...new Set(values)].sort((a, b) => b.length - a.length).flatMap(secretForms);
  const pattern = new RegExp(forms.map(({ source }) => source).join('|'), 'gu');
  const finds = (text: string): boolean => text.search(pattern) !== -1;
  const whole = (text: string): string => text.replace(pattern, overLines);

  const withoutRest = (text: string, from: number): string => {
    const end = Math.max(...forms.map((form) => form.restAt(text, from)));
    return end > from ? text.slice(0, from) + MASKED + text.slice(end) : text;
  };
  const withoutBeginning = (text: string): string => {
    const start = Math.min(...forms.map((form) => form.beginningOf(text)));
    return start < text.length ? text.slice(0, start) + MASKED : text;
  };
  const text = (given: string): string => {
    const mark = CUT_MARK.exec(given)?.[0].length;
    return mark === undefined ? whole(given) : withoutRest(whole(given), mark);
  };
  const cutText = (given: string): string => {
    const masked = text(given);
    return withoutBeginning(CUT_MARK.test(given) ? masked : withoutRest(masked, 0));
  };
  const json = (value: JsonValue): JsonValue => {
    switch (typeof value) {
      case 'string':
        return text(value);
      case 'number':
        return finds(String(value)) ? MASKED : value;
      case 'boolean':
        return value;
      default:
        if (value === null) return value;
        return isJsonObject(value) ? object(value) : (lines(value, whole) ?? value).map(json);
    }
  };
  const object = (value: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [text(key), json(inner)]));
  return { text, cutText, json, finds };
}

/** The failure without secrets; its texts are of bounded length. */
export function maskFailure(failure: Failure, mask: Mask): Failure {
  const { message, stack } = failure;
  return { ...failure, message: mask.cutText(message), ...(stack !== undefined && { stack: mask.cutText(stack) }) };
}

/** A secret that was broken over lines leaves as many lines as before. */
function overLines(found: string): string {
  return found.replace(/[^\r\n]+/g, MASKED);
}

/** A list of lines, masked as the text that they were; `undefined` where a list is something else. */
function lines(value: readonly JsonValue[], whole: (text: string) => string): readonly JsonValue[] | undefined {
  if (value.length < 2 || !value.every((item) => typeof item === 'string' && !item.includes('\n'))) return undefined;
  const masked = whole(value.join('\n')).split('\n');
  return masked.length === value.length ? masked : undefined;
}
