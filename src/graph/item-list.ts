import type { JsonValue } from '../model/json.js';

/**
 * A fan-out's items, kept as compactly as their source allows: a list, the axes of a matrix, the bytes of a file.
 * `at` makes the item when it is asked for; it is undefined from `length` on. A list is an `ItemList` as it is.
 */
export interface ItemList {
  readonly length: number;
  readonly at: (i: number) => JsonValue | undefined;
}

/** The items at the given positions of a list, which is not copied. */
export function itemsAtPositions(items: ItemList, positions: Uint32Array): ItemList {
  return {
    length: positions.length,
    at: (i) => {
      const position = positions[i];
      return position === undefined ? undefined : items.at(position);
    },
  };
}

/** The items that `keep` holds for, in order; the list itself where that is all of them. */
export function itemsThat(items: ItemList, keep: (item: JsonValue, i: number) => boolean): ItemList {
  const positions = new Uint32Array(items.length);
  let kept = 0;
  for (let i = 0; i < items.length; i++) {
    const item = items.at(i);
    if (item === undefined || !keep(item, i)) continue;
    positions[kept] = i;
    kept += 1;
  }
  return kept === items.length ? items : itemsAtPositions(items, positions.slice(0, kept));
}
