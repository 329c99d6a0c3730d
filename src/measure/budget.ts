/** One measurement that can be taken again. */
export interface SampleStep {
  /** Takes it; resolves when it is there. */
  readonly run: () => Promise<void>;
}

/** How much sampling may take. */
export interface SampleBudget {
  /** Milliseconds of `now` at which sampling must be over. */
  readonly until: number;
  /** Rounds over all steps at most: more samples than that are for a bench. */
  readonly rounds: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Takes the steps' samples in turn until the budget is used up: first each step once, in order, while there is time; then
 * again those that fit by the most that they took so far. Resolves with how often each step ran.
 */
export async function sampleWithin(steps: readonly SampleStep[], budget: SampleBudget): Promise<readonly number[]> {
  const { until, rounds, now } = budget;
  const runs = steps.map(() => 0);
  const dearest = steps.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    let ran = false;
    for (const [i, step] of steps.entries()) {
      const begun = now();
      if (begun >= until || begun + (dearest[i] ?? 0) > until) continue;
      await step.run();
      runs[i] = (runs[i] ?? 0) + 1;
      dearest[i] = Math.max(dearest[i] ?? 0, now() - begun);
      ran = true;
    }
    if (!ran) break;
  }
  return runs;
}
