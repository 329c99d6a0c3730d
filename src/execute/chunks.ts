import type { Chunk } from '../worker/chunk.js';
import { subtaskKey } from '../worker/subtask-key.js';

/** The key of the subtask at `position` of a chunk. */
export function keyAt({ program, items, occurrences }: Chunk, position: number): string {
  return subtaskKey(program.task.hash, items?.[position], occurrences?.[position] ?? 0);
}

/** The part of a chunk that is one subtask, as a chunk with an id of its own. */
export function singleChunk(chunk: Chunk, position: number, id: number): Chunk {
  const { items, previous, occurrences, ...rest } = chunk;
  const occurrence = occurrences?.[position];
  return {
    ...rest,
    id,
    first: chunk.first + position,
    count: 1,
    items: items?.slice(position, position + 1),
    ...(previous !== undefined && { previous: previous.slice(position, position + 1) }),
    ...(occurrence !== undefined && { occurrences: { 0: occurrence } }),
  };
}
