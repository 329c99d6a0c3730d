import type { JsonValue } from '../model/json.js';

/*
 * A YAML document as plain located data: what the rest of this folder reads, instead of the parser's own tree.
 * Aliases and merge keys are resolved (an alias is the very node of its anchor), and every node has its JSON value.
 */

/** A stretch of the source text, in UTF-16 units; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ScalarNode extends Span {
  readonly kind: 'scalar';
  readonly json: string | number | boolean | null;
  /** As written, without quotes: `1.10` stays `1.10`. */
  readonly source: string;
  readonly style: 'plain' | 'quoted' | 'block';
}

export interface ListNode extends Span {
  readonly kind: 'list';
  readonly json: readonly JsonValue[];
  readonly items: readonly SourceNode[];
}

export interface MapNode extends Span {
  readonly kind: 'map';
  readonly json: { readonly [key: string]: JsonValue };
  /** In file order. */
  readonly entries: ReadonlyMap<string, MapEntry>;
}

/** A key with its value. */
export interface MapEntry {
  readonly key: Span;
  readonly value: SourceNode;
}

export type SourceNode = ScalarNode | ListNode | MapNode;

/** A map of the given entries, with their JSON value. */
export function mapOf(entries: ReadonlyMap<string, MapEntry>, span: Span): MapNode {
  // `fromEntries` defines properties, so that a key `__proto__` is a key like any other.
  const json = Object.fromEntries([...entries].map(([key, entry]): [string, JsonValue] => [key, entry.value.json]));
  return { kind: 'map', entries, json, start: span.start, end: span.end };
}

/** A list of the given items, with their JSON value. */
export function listOf(items: readonly SourceNode[], span: Span): ListNode {
  return { kind: 'list', items, json: items.map((item): JsonValue => item.json), start: span.start, end: span.end };
}

/** The value at a key of a map; `undefined` where the node is no map or has no such key. */
export function valueAt(node: SourceNode | undefined, key: string): SourceNode | undefined {
  return entryAt(node, key)?.value;
}

/** The key and value at a key of a map. */
export function entryAt(node: SourceNode | undefined, key: string): MapEntry | undefined {
  return node?.kind === 'map' ? node.entries.get(key) : undefined;
}

/** The text of a node that holds text; `undefined` for anything else. */
export function textOf(node: SourceNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.json === 'string' ? node.json : undefined;
}

/** The number of a node that holds one. */
export function numberOf(node: SourceNode | undefined): number | undefined {
  return node?.kind === 'scalar' && typeof node.json === 'number' ? node.json : undefined;
}

/** A text, number or boolean as the text that was written: argv and `env` take `1.10` to be `1.10`, not `1.1`. */
export function writtenText(node: SourceNode | undefined): string | undefined {
  if (node?.kind !== 'scalar' || node.json === null) return undefined;
  return typeof node.json === 'string' ? node.json : node.source;
}

/** The items of a list; none for anything else. */
export function itemsOf(node: SourceNode | undefined): readonly SourceNode[] {
  return node?.kind === 'list' ? node.items : [];
}

/** The entries of a map in file order; none for anything else. */
export function entriesOf(node: SourceNode | undefined): Iterable<readonly [string, MapEntry]> {
  return node?.kind === 'map' ? node.entries : [];
}

/**
 * The span in the source of a part of a text node's value: exact where the value can be matched with what was written
 * (plain, quoted and block texts, over escapes and folded lines), else the node's own span.
 */
export function spanInText(text: string, node: SourceNode, part: Span): Span {
  if (node.kind !== 'scalar' || typeof node.json !== 'string') return node;
  const places = sourceOffsets(text, node, node.json);
  const start = places[part.start];
  const last = places[Math.max(part.start, part.end - 1)];
  if (start === undefined || last === undefined) return start === undefined ? node : { start, end: start };
  return { start, end: part.end > part.start ? last + 1 : start };
}

/**
 * For each character of the value, its offset in the source, found by walking both side by side; one more entry for the
 * end. Empty where they do not match, which an unusual escape can bring about.
 */
function sourceOffsets(text: string, node: ScalarNode, value: string): readonly number[] {
  const places: number[] = [];
  let at = node.start;
  const first = text[at];
  const doubleQuoted = node.style === 'quoted' && first === '"';
  if (node.style === 'quoted') at += 1;
  if (node.style === 'block') at = text.indexOf('\n', at) + 1;
  for (let index = 0; index < value.length; index += 1) {
    const wanted = value[index] ?? '';
    while (at < node.end && text[at] !== wanted) {
      const step = doubleQuoted && text[at] === '\\' ? escapeLength(text, at) : 0;
      if (step > 0) break;
      if (isSpace(wanted) && isSpace(text[at] ?? '')) break;
      if (!isSpace(text[at] ?? '')) return [];
      at += 1;
    }
    if (at >= node.end) return isSpace(wanted) ? [...places, node.end] : [];
    places.push(at);
    if (doubleQuoted && text[at] === '\\') at += escapeLength(text, at);
    else if (node.style === 'quoted' && !doubleQuoted && wanted === "'") at += 2;
    else if (isSpace(wanted) && text[at] !== wanted) at = behindFold(text, at);
    else at += 1;
  }
  places.push(at);
  return places;
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

/** Folding turns a line break and the indentation behind it into one space. */
function behindFold(text: string, at: number): number {
  let behind = at;
  while (isSpace(text[behind] ?? '')) behind += 1;
  return behind;
}

/** How long the escape of a double-quoted text is that begins at `at`; an escaped line break stands for nothing. */
function escapeLength(text: string, at: number): number {
  switch (text[at + 1]) {
    case 'x':
      return 4;
    case 'u':
      return 6;
    case 'U':
      return 10;
    default:
      return 2;
  }
}
