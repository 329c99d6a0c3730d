import type { Chunk } from '../worker/chunk.js';
import type { Program } from './protocol.js';
import { programDigest } from './served-run.js';

/** A program as it goes to workers. */
export interface SentProgram {
  readonly message: Program;
  readonly digest: string;
}

/** Makes each program of a run once, however many workers get it. */
export class SentPrograms {
  readonly #made = new Map<number, SentProgram>();

  of({ program }: Chunk): SentProgram {
    const known = this.#made.get(program.ref);
    if (known !== undefined) return known;
    const { ref, wave, fanOut, task, surroundings } = program;
    const message: Program = {
      type: 'program',
      ref,
      task: task.id,
      hash: task.hash,
      wave,
      fanOut,
      ...(task.timeoutMs !== undefined && { timeoutMs: task.timeoutMs }),
      // As they are now: results of tasks that still run grow, and every worker must get what the digest was made of.
      tasks: structuredClone(surroundings.tasks),
    };
    const made = { message, digest: programDigest(message) };
    // The others are used once, or once for each attempt; keeping them would keep them all.
    if (fanOut) this.#made.set(ref, made);
    return made;
  }
}
