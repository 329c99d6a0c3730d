import type { SubtaskOutcome } from '../worker/chunk.js';

type Success = Extract<SubtaskOutcome, { kind: 'success' }>;
type Figures = Pick<Success, 'results' | 'durationsMs' | 'lines'>;

/** Bytes for each subtask before the lines: its duration, where its results begin, where they end. */
const EACH = 8 + 4 + 4;

/** What of successes is no text of a message: as JSON their figures alone would take as long as all the rest. */
export function successBytes({ results, durationsMs, lines }: Figures): Uint8Array {
  const count = durationsMs.length;
  const bytes = Buffer.allocUnsafe(EACH * count + lines.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, EACH * count);
  for (let i = 0; i < count; i++) {
    view.setFloat64(EACH * i, durationsMs[i] ?? 0);
    view.setUint32(EACH * i + 8, results[2 * i] ?? 0);
    view.setUint32(EACH * i + 12, results[2 * i + 1] ?? 0);
  }
  bytes.set(lines, EACH * count);
  return bytes;
}

/** The other way. */
export function readSuccessBytes(bytes: Uint8Array, count: number): Figures {
  const view = new DataView(bytes.buffer, bytes.byteOffset, EACH * count);
  const [results, durationsMs]: [number[], number[]] = [[], []];
  for (let i = 0; i < count; i++) {
    durationsMs.push(view.getFloat64(EACH * i));
    results.push(view.getUint32(EACH * i + 8), view.getUint32(EACH * i + 12));
  }
  return { results, durationsMs, lines: bytes.subarray(EACH * count) };
}
