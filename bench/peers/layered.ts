/** A task of a random layered graph. */
export interface LayeredTask {
  readonly id: string;
  readonly needs: readonly string[];
  /** How long it takes, in milliseconds. */
  readonly ms: number;
}

/**
 * A layered graph by a seed: each task needs up to three tasks of the layer before its own, and takes 1 to 100 ms, most of
 * them little (the square of an even spread).
 */
export function layeredGraph(options: {
  readonly tasks: number;
  readonly layers: number;
  readonly seed: number;
}): readonly LayeredTask[] {
  const random = mulberry32(options.seed);
  const perLayer = Math.ceil(options.tasks / options.layers);
  return Array.from({ length: options.tasks }, (_, i) => {
    const layer = Math.floor(i / perLayer);
    const before = layer === 0 ? 0 : 1 + Math.floor(random() * 3);
    const needs = new Set<string>();
    for (let n = 0; n < before; n++) needs.add(`t${(layer - 1) * perLayer + Math.floor(random() * perLayer)}`);
    return { id: `t${i}`, needs: [...needs], ms: 1 + Math.round(99 * random() ** 2) };
  });
}

/** A small generator with a seed (Tommy Ettinger's mulberry32, public domain): the same graph everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
