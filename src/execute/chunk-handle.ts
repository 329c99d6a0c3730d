import type { Claims } from '../worker/claims.js';
import type { ChunkHandle } from './executor.js';

/** A handle of a chunk by its claims; `cancel` ends the subtask that runs, when the claims say that it is cancelled. */
export function chunkHandle(claims: Claims, cancel: () => void): ChunkHandle {
  return {
    reclaim: () => claims.reclaim(),
    get claimed() {
      return claims.claimed;
    },
    get startedAt() {
      return claims.startedAt;
    },
    cancel: () => {
      claims.cancel();
      cancel();
    },
  };
}
