import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';

/** `--filter`: which items of fan-outs are wanted. */
export interface ItemFilter {
  /** Whose items; absent: those of every fan-out. */
  readonly task: string | undefined;
  /** The way to the value that is looked at, from the item; empty: the item itself. */
  readonly path: readonly string[];
  readonly operator: '=' | '!=';
  /** `*` stands for any text, `?` for one character, and `\` takes what follows as it is. */
  readonly glob: string;
}

const WRITTEN = /^(?:([A-Za-z0-9][A-Za-z0-9._-]{0,63}):)?item(?:\.([^=!]+))?(!?=)(.*)$/s;

/** A filter as the command line has it: `item=*.jpg`, `item.user.id=42`, `item.os!=mac`, `build:item.os=linux`. */
export function parseItemFilter(text: string): Result<ItemFilter, string> {
  const [, task, path, operator, glob] = WRITTEN.exec(text) ?? [];
  if (operator === undefined || glob === undefined) {
    return err("write it as item=GLOB, item.field=GLOB or item.field!=GLOB, with TASK: before it for one task's items");
  }
  return ok({ task, path: path?.split('.') ?? [], operator: operator === '=' ? '=' : '!=', glob });
}

/** A filter as it was written. */
export function writtenFilter({ task, path, operator, glob }: ItemFilter): string {
  return `${task === undefined ? '' : `${task}:`}${['item', ...path].join('.')}${operator}${glob}`;
}

/**
 * Whether an item passes all filters. Filters that ask one place for a value with `=` are alternatives; all others must
 * hold. Texts are compared as they are, other values as JSON; a place that an item does not have has no value.
 */
export function itemPasses(filters: readonly ItemFilter[]): (item: JsonValue) => boolean {
  const wanted = new Map<string, RegExp[]>();
  const paths = new Map<string, readonly string[]>();
  const unwanted: { readonly path: readonly string[]; readonly pattern: RegExp }[] = [];
  for (const { path, operator, glob } of filters) {
    const pattern = patternOf(glob);
    if (operator === '!=') {
      unwanted.push({ path, pattern });
      continue;
    }
    const place = path.join('.');
    paths.set(place, path);
    wanted.set(place, [...(wanted.get(place) ?? []), pattern]);
  }
  return (item) =>
    [...wanted].every(([place, patterns]) => {
      const text = textAt(item, paths.get(place) ?? []);
      return text !== undefined && patterns.some((pattern) => pattern.test(text));
    }) &&
    unwanted.every(({ path, pattern }) => {
      const text = textAt(item, path);
      return text === undefined || !pattern.test(text);
    });
}

function textAt(item: JsonValue, path: readonly string[]): string | undefined {
  let value: JsonValue | undefined = item;
  for (const step of path) {
    if (Array.isArray(value)) value = /^\d+$/.test(step) ? (value as readonly JsonValue[])[Number(step)] : undefined;
    else value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (value === undefined) return undefined;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function patternOf(glob: string): RegExp {
  const source = glob.replace(/\\([\s\S])|[\s\S]/gu, (piece, escaped: string | undefined) => {
    if (escaped !== undefined) return literal(escaped);
    if (piece === '*') return '[^]*?';
    return piece === '?' ? '[^]' : literal(piece);
  });
  // Several stars in a row say no more than one, and would make the search slow.
  return new RegExp(`^${source.replace(/(\[\^\]\*\?)+/g, '[^]*?')}$`, 'u');
}

function literal(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
