/** Asked more often than this about one task, all tasks behind it are found once and kept. */
const FEW_QUESTIONS = 3;

/**
 * Answers whether one task comes before another by needs, direct or indirect. Built for plans of 100,000 tasks: a near
 * ancestor is found by a short search backwards, a common one (everybody reads the first task) by one search forwards.
 */
export class Ancestry {
  readonly #needs: readonly (readonly number[])[];
  readonly #questions = new Map<number, number>();
  readonly #descendants = new Map<number, ReadonlySet<number>>();
  #dependents: readonly (readonly number[])[] | undefined;

  /** `needs[i]` lists the positions of the tasks that task `i` needs; circles do no harm. */
  constructor(needs: readonly (readonly number[])[]) {
    this.#needs = needs;
  }

  /** Whether `earlier` is among the needs of `later`, direct or indirect. */
  comesBefore(earlier: number, later: number): boolean {
    if (this.#needs[later]?.includes(earlier) === true) return true;
    const known = this.#descendants.get(earlier);
    if (known !== undefined) return known.has(later);
    const asked = (this.#questions.get(earlier) ?? 0) + 1;
    this.#questions.set(earlier, asked);
    if (asked <= FEW_QUESTIONS) return reachable(this.#needs, later, earlier).has(earlier);
    const behind = reachable(this.#reversed(), earlier, undefined);
    this.#descendants.set(earlier, behind);
    return behind.has(later);
  }

  #reversed(): readonly (readonly number[])[] {
    if (this.#dependents !== undefined) return this.#dependents;
    const dependents: number[][] = this.#needs.map(() => []);
    this.#needs.forEach((targets, node) => {
      for (const target of targets) dependents[target]?.push(node);
    });
    this.#dependents = dependents;
    return dependents;
  }
}

/** What can be reached from `start`, breadth first; stops once `wanted` is found. */
function reachable(edges: readonly (readonly number[])[], start: number, wanted: number | undefined): ReadonlySet<number> {
  const found = new Set<number>();
  const queue = [start];
  for (let head = 0; head < queue.length; head += 1) {
    for (const target of edges[queue[head] ?? start] ?? []) {
      if (found.has(target)) continue;
      found.add(target);
      if (target === wanted) return found;
      queue.push(target);
    }
  }
  return found;
}
