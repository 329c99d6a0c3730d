/** What the subtasks of a task are expected to take, in seconds: most of them, and the longest. */
export interface ExpectedWork {
  readonly usual: number;
  readonly longest: number;
}

/** From so many times what was expected on, or so small a part of it, it was expected of other work than this. */
const OTHER_TIMES = 4;
/** Less of a difference, in seconds, is no matter for the number of agents, and comes by chance. */
const OTHER_SECONDS = 0.01;

/** Whether subtasks take so much more or less than was expected that decisions are to be taken anew. */
export function isOtherWork(measuredSeconds: number, expectedSeconds: number): boolean {
  const [less, more] = [Math.min(measuredSeconds, expectedSeconds), Math.max(measuredSeconds, expectedSeconds)];
  return more >= OTHER_TIMES * less && more - less >= OTHER_SECONDS;
}
