import type { Chunk } from '../worker/chunk.js';
import type { TaskState } from './task-state.js';

/** A chunk of a task's subtasks, from index `first` on, with what each of them needs. */
export function makeChunk(
  { program, work }: TaskState,
  range: Pick<Chunk, 'id' | 'agent' | 'first' | 'count' | 'attempt' | 'timeoutMs'>,
): Chunk {
  const { first, count } = range;
  const indexes = Array.from({ length: count }, (_, position) => first + position);
  const { itemAt, previousAt, occurrences } = work;
  const repeated =
    occurrences.size === 0
      ? []
      : indexes.flatMap((index, position) => {
          const before = occurrences.get(index);
          return before === undefined ? [] : [[position, before] as const];
        });
  return {
    ...range,
    program,
    items: itemAt === undefined ? undefined : indexes.map(itemAt),
    ...(previousAt !== undefined && { previous: indexes.map(previousAt) }),
    ...(repeated.length > 0 && { occurrences: Object.fromEntries(repeated) }),
  };
}

/** An agent's name, counted from 1 as people count. */
export function agentName(agent: number): string {
  return `agent_${agent + 1}`;
}
