import { chunkHandle } from '../execute/chunk-handle.js';
import { keyAt } from '../execute/chunks.js';
import type { ChunkHandle, ChunkListener } from '../execute/executor.js';
import type { Chunk } from '../worker/chunk.js';
import { Claims } from '../worker/claims.js';

/** Fails every subtask of a chunk that must not go anywhere. */
export function refusedChunk(chunk: Chunk, listener: ChunkListener, message: string): ChunkHandle {
  const claims = new Claims(chunk.count);
  // Not before the caller has its handle.
  setImmediate(() => {
    const started = Date.now();
    for (let position = claims.claim(started); position !== undefined; position = claims.claim(started)) {
      const outcome = {
        failure: { kind: 'input' as const, message },
        results: null,
        log: '',
        started,
        durationMs: 0,
        leaked: false,
      };
      listener.outcome({ kind: 'failure', position, key: keyAt(chunk, position), outcome });
    }
    listener.flushed();
    listener.ended();
  });
  return chunkHandle(claims, () => {});
}
