import type { FailureRegion } from '../model/failure-assessment.js';
import { isJsonObject, type JsonValue } from '../model/json.js';

/** Fields of an item in which a place is looked for, if it is an object. */
const PLACE_FIELDS = ['path', 'file', 'folder', 'dir', 'url', 'uri', 'href', 'host', 'hostname'] as const;

/** Folders of a path that are looked at, from the top. */
const DEPTH = 12;

/** The places that an item belongs to: each folder above its path, or the host of its address. None for any other item. */
export function regionsOf(item: JsonValue | undefined): readonly FailureRegion[] {
  if (typeof item === 'string') return regionsOfText(item);
  if (Array.isArray(item)) return sharedRegions(item as readonly JsonValue[]);
  if (!isJsonObject(item)) return [];
  return PLACE_FIELDS.flatMap((field) => {
    const value = Object.hasOwn(item, field) ? item[field] : undefined;
    if (typeof value !== 'string') return [];
    return field === 'host' || field === 'hostname' ? [{ kind: 'host' as const, name: value }] : regionsOfText(value);
  });
}

function regionsOfText(text: string): readonly FailureRegion[] {
  if (text.length > 4096) return [];
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/?#]+)/i.exec(text)?.[1];
  if (host !== undefined) return [{ kind: 'host', name: host.toLowerCase() }];
  const parts = text.split('/');
  return parts
    .slice(1, 1 + DEPTH)
    .map((_, depth) => ({ kind: 'folder' as const, name: parts.slice(0, depth + 1).join('/') }))
    .filter(({ name }) => name !== '' && name !== '.');
}

/** Of a batch: the places that all its items share. */
function sharedRegions(items: readonly JsonValue[]): readonly FailureRegion[] {
  const [first, ...others] = items.map((item) => (Array.isArray(item) ? [] : regionsOf(item)));
  return (first ?? []).filter(({ kind, name }) =>
    others.every((regions) => regions.some((other) => other.kind === kind && other.name === name)),
  );
}
