import { isAlias, isMap, isNode, isScalar, isSeq, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Report } from './problems.js';
import {
  type ListNode,
  listOf,
  type MapEntry,
  type MapNode,
  mapOf,
  type ScalarNode,
  type SourceNode,
  type Span,
} from './source-node.js';
import type { SourceText } from './source-texts.js';

/** With aliases resolved, a tree this deep is a trap: the checks that walk it recurse. */
const MAX_RESOLVED_DEPTH = 200;

/** Nodes that aliases may add to what the file itself holds. */
const MAX_ALIASED_NODES = 1_000_000;

interface Measure {
  /** Nodes in it, aliases counted at full size. */
  readonly size: number;
  readonly depth: number;
}

/**
 * Turns the parser's tree into located data. Reports duplicate keys, keys that are no text, unknown and recursive
 * aliases, alias bombs and numbers that JSON cannot hold; what is wrong becomes null, so that the rest is still read.
 */
export function buildSourceTree(source: Pick<SourceText, 'text' | 'start'>, contents: unknown, report: Report): SourceNode {
  return new TreeBuilder(source, report).node(contents, { start: source.start, end: source.start });
}

class TreeBuilder {
  readonly #text: string;
  /** Of the text among its plan's texts: what spans count from. */
  readonly #start: number;
  readonly #report: Report;
  /** The latest node of each anchor; `open` while it is being built, when an alias to it would contain itself. */
  readonly #anchors = new Map<string, SourceNode | 'open'>();
  readonly #measures = new WeakMap<SourceNode, Measure>();
  #aliasedNodes = 0;

  constructor({ text, start }: Pick<SourceText, 'text' | 'start'>, report: Report) {
    this.#text = text;
    this.#start = start;
    this.#report = report;
  }

  /** The located form of one parsed node; `near` is where to point if the node itself has no place. */
  node(parsed: unknown, near: Span): SourceNode {
    if (isAlias(parsed)) return this.#alias(parsed.source, this.#span(parsed.range, near));
    if (!isScalar(parsed) && !isMap(parsed) && !isSeq(parsed)) return this.#scalarNode(null, near, '', 'plain');
    const span = this.#span(parsed.range, near);
    const { anchor } = parsed;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const made = isScalar(parsed)
      ? this.#scalar(parsed, span)
      : isMap(parsed)
        ? this.#map(parsed, span)
        : this.#list(parsed, span);
    if (anchor !== undefined) this.#anchors.set(anchor, made);
    return made;
  }

  #span(range: readonly number[] | null | undefined, near: Span): Span {
    const start = range?.[0];
    const end = range?.[1];
    if (start === undefined || end === undefined) return { start: near.end, end: near.end };
    let trimmed = end;
    while (trimmed > start && isBlank(this.#text.charCodeAt(trimmed - 1))) trimmed -= 1;
    return { start: this.#start + start, end: this.#start + trimmed };
  }

  #alias(name: string, span: Span): SourceNode {
    const target = this.#anchors.get(name);
    if (target === undefined || target === 'open') {
      const message = target === undefined ? `there is no anchor '&${name}' above` : `'&${name}' contains itself`;
      this.#report({ code: 'ALIAS', message, span });
      return this.#scalarNode(null, span, '', 'plain');
    }
    const measure = this.#measureOf(target);
    this.#aliasedNodes += measure.size;
    if (this.#aliasedNodes > MAX_ALIASED_NODES || measure.depth >= MAX_RESOLVED_DEPTH) {
      const message = `aliases multiply this file beyond ${MAX_ALIASED_NODES} values or ${MAX_RESOLVED_DEPTH} levels`;
      // Said once: every further alias of a bomb has the same cause.
      if (Number.isFinite(this.#aliasedNodes)) this.#report({ code: 'ALIAS', message, span });
      this.#aliasedNodes = Number.POSITIVE_INFINITY;
      return this.#scalarNode(null, span, '', 'plain');
    }
    return target;
  }

  #scalar(parsed: Scalar, span: Span): ScalarNode {
    const source = parsed.source ?? this.#text.slice(span.start - this.#start, span.end - this.#start);
    const style = parsed.type?.startsWith('QUOTE') ? 'quoted' : parsed.type?.startsWith('BLOCK') ? 'block' : 'plain';
    const { value } = parsed;
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return this.#scalarNode(value, span, source, style);
      case 'number':
        this.#checkNumber(value, source, span);
        return this.#scalarNode(Number.isFinite(value) ? value : 0, span, source, style);
      default:
        return this.#scalarNode(null, span, source, style);
    }
  }

  #checkNumber(value: number, source: string, span: Span): void {
    const written = /^[-+]?(\d+|0x[0-9a-f]+|0o[0-7]+)$/i.test(source);
    if (Number.isFinite(value) && !(written && !Number.isSafeInteger(value))) return;
    const message = Number.isFinite(value)
      ? `the number ${source.slice(0, 40)} is too large to be held exactly`
      : `${source.slice(0, 40)} is not a number that can be used`;
    this.#report({ code: 'YAML', message, span, hint: 'put it in quotes to keep it as text' });
  }

  #scalarNode(json: ScalarNode['json'], span: Span, source: string, style: ScalarNode['style']): ScalarNode {
    return { kind: 'scalar', json, source, style, start: span.start, end: span.end };
  }

  #list(parsed: YAMLSeq, span: Span): ListNode {
    const items = parsed.items.map((item) => this.node(item, span));
    return this.#measured(listOf(items, span), items);
  }

  #map(parsed: YAMLMap, span: Span): MapNode {
    const own = new Map<string, MapEntry>();
    const merged = new Map<string, MapEntry>();
    for (const pair of parsed.items) this.#addPair(pair, { span, own, merged });
    // Keys of the mapping itself beat merged ones.
    for (const [key, entry] of merged) if (!own.has(key)) own.set(key, entry);
    const values = [...own.values()].map((entry) => entry.value);
    return this.#measured(mapOf(own, span), values);
  }

  #addPair(
    pair: Pair,
    into: { readonly span: Span; readonly own: Map<string, MapEntry>; readonly merged: Map<string, MapEntry> },
  ): void {
    const key = isScalar(pair.key) ? pair.key : undefined;
    const keySpan = this.#span(isNode(pair.key) ? pair.key.range : undefined, { start: into.span.start, end: into.span.start });
    const name = typeof key?.value === 'string' ? key.value : key?.value === null ? undefined : key?.source;
    if (key === undefined || name === undefined) {
      const message = key === undefined ? 'a key must be text, not a list, a mapping or an alias' : 'a key is missing here';
      this.#report({ code: 'YAML', message, span: keySpan });
      this.node(pair.value, keySpan);
      return;
    }
    const value = this.node(pair.value, keySpan);
    if (name === '<<' && key.type === 'PLAIN') {
      this.#merge(value, into.merged);
      return;
    }
    const before = into.own.get(name);
    if (before !== undefined) {
      const message = `'${name}' stands twice in this mapping`;
      const related = [{ message: `'${name}' was given here first`, span: before.key }];
      this.#report({ code: 'DUPLICATE-KEY', message, span: keySpan, hint: 'remove one of the two', related });
      return;
    }
    into.own.set(name, { key: keySpan, value });
  }

  #merge(value: SourceNode, merged: Map<string, MapEntry>): void {
    for (const source of value.kind === 'list' ? value.items : [value]) {
      if (source.kind !== 'map') {
        const message = "'<<' merges mappings, usually by an alias such as *defaults";
        this.#report({ code: 'YAML', message, span: source });
        continue;
      }
      for (const [key, entry] of source.entries) if (!merged.has(key)) merged.set(key, entry);
    }
  }

  #measured<Made extends ListNode | MapNode>(made: Made, children: readonly SourceNode[]): Made {
    let size = 1;
    let depth = 0;
    for (const child of children) {
      const measure = this.#measureOf(child);
      size += measure.size;
      depth = Math.max(depth, measure.depth);
    }
    this.#measures.set(made, { size, depth: depth + 1 });
    return made;
  }

  #measureOf(node: SourceNode): Measure {
    return this.#measures.get(node) ?? { size: 1, depth: 1 };
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
