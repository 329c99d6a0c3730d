/** What a chunk should take, in milliseconds: long enough that a message and a turn of the scheduler weigh little. */
export const CHUNK_MS = 20;
/** What it may take while much is left: where every core computes, each end of a chunk takes one from the work. */
const LONG_CHUNK_MS = 200;
/** Such chunks that each agent should still get of what is left, so that they are short again before the end. */
const LONG_TURNS = 4;
/** How many times a longer chunk was worked before, by each agent: what subtasks take is known by then. */
const KNOWN_TIMES = 1;
/** Chunks that an agent should get of a task's rest, so that all agents end at about the same time. */
const TURNS = 2;
/** The part of a chunk's time that is worth another message both ways. */
const WORTH = 0.05;
/** What the newest chunk weighs at least in the running mean of a subtask's duration; more while it has most of all subtasks so far. */
const NEWEST = 0.3;

/** The running mean of the durations of a task's subtasks, from which the size of its next chunk follows. */
export class ChunkSize {
  readonly #most: number;
  readonly #chunkMs: () => number;
  #meanMs: number | undefined;
  #seen = 0;
  #seenMs = 0;

  /**
   * @param expectedMs what a subtask is expected to take; undefined where nobody knows: then the first chunks are single ones.
   * @param most subtasks of a chunk.
   * @param chunkMs what a chunk should take, where that is not always the same.
   */
  constructor(expectedMs: number | undefined, most: number, chunkMs = () => CHUNK_MS) {
    this.#meanMs = expectedMs;
    this.#most = most;
    this.#chunkMs = chunkMs;
  }

  get meanMs(): number | undefined {
    return this.#meanMs;
  }

  /** The work, in milliseconds, that is worth being taken from one agent and sent to another. */
  get worthMs(): number {
    return WORTH * this.#chunkMs();
  }

  /** Takes the durations of subtasks that ended. */
  observe(count: number, totalMs: number): void {
    if (count === 0) return;
    const mean = totalMs / count;
    // The first subtask of a module pays for its loading: what many others took must soon count for more.
    const weight = Math.max(NEWEST, count / (count + Math.max(1, this.#seen)));
    this.#meanMs = this.#meanMs === undefined ? mean : weight * mean + (1 - weight) * this.#meanMs;
    this.#seen += count;
    this.#seenMs += totalMs;
  }

  /** The size of the next chunk, at least 1, for so many waiting subtasks and agents. */
  next(waiting: number, agents: number): number {
    if (this.#meanMs === undefined) return 1;
    const leftMs = (waiting * this.#meanMs) / agents;
    const workedMs = this.#seenMs / agents;
    const chunkMs = Math.max(this.#chunkMs(), Math.min(LONG_CHUNK_MS, leftMs / LONG_TURNS, workedMs / KNOWN_TIMES));
    const byTime = Math.floor(chunkMs / Math.max(this.#meanMs, chunkMs / this.#most));
    const byShare = Math.ceil(waiting / (TURNS * agents));
    return Math.max(1, Math.min(byTime, byShare, this.#most));
  }
}
