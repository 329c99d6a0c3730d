import { createWriteStream } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Failure } from '../../model/failure.js';
import type { JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, errnoOf } from './failures.js';
import { takenFailure } from './files-write.js';
import { discard, type HttpAnswer, sendFollowing } from './http-client.js';
import { checkedBody, isExpected } from './http-expect.js';
import { durationOr, type HttpInput, type PreparedRequest, requestOf } from './http-input.js';
import { isThere, resolvePath } from './paths.js';
import type { BuiltIn, BuiltInContext } from './perform-built-in.js';
import { makeParents, placeNew } from './place.js';
import { retryAfterMs } from './retry-after.js';

/*
 *            ┌──────── wait: Retry-After, else a random share of a back-off that doubles ◀──┐
 *            ▼                                                                              │
 *   try: send, follow redirects ──▶ expected status ──▶ body ──▶ checks ──▶ result          │
 *            │                  └─▶ 429, 5xx, a broken connection, a try without an end ────┘ while tries are left
 *            └─▶ any other status: failure
 */

/** What one try came to. */
type Try =
  | { readonly kind: 'answer'; readonly result: Result<JsonValue, Failure> }
  /** Asking again may help; `afterMs`: what the server asked for. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number | undefined };

const MAX_BYTES = 8 * 1024 * 1024;

/** One HTTP request. Nothing that may have been acknowledged is sent again without the key that lets the server tell. */
export const request: BuiltIn<HttpInput> = async (input, context) => {
  const prepared = requestOf(input, context.key);
  if (!prepared.ok) return prepared;
  const target = await saveTarget(input, context);
  if (!target.ok) return target;
  const origin = prepared.value.url.origin;
  const most = input.retries?.max ?? 4;
  const backoffMs = durationOr(input.retries?.backoff, 200);
  const maxWaitMs = durationOr(input.retries?.maxWait, 120_000);
  for (let tries = 1; ; tries += 1) {
    await originOpens(origin, backoffMs, context.signal);
    const made = await tryOnce(prepared.value, { input, context, tries, target: target.value });
    if (made.kind === 'answer') return made.result;
    context.signal.throwIfAborted();
    const { reason, afterMs } = made;
    // Another attempt of the subtask heeds it too, on whatever thread it is made.
    const later = afterMs === undefined ? {} : { retryAfterMs: Math.min(afterMs, MAX_RETRY_AFTER_MS) };
    if (tries > most) return err({ ...actionFailure(`${reason}${tries === 1 ? '' : ` (${tries} tries)`}`), ...later });
    if (afterMs !== undefined && afterMs > maxWaitMs) {
      return err({ ...actionFailure(`${reason}; it asks to wait ${afterMs / 1000} s, more than 'maxWait'`), ...later });
    }
    const share = Math.random() * Math.min(backoffMs * 2 ** (tries - 1), MAX_BACKOFF_MS);
    const delay = (afterMs ?? 0) + share;
    context.log.write(`try ${tries}: ${reason}; again in ${Math.round(delay)} ms\n`);
    await wait(delay, undefined, { signal: context.signal });
  }
};

const MAX_BACKOFF_MS = 60_000;
/** No attempt waits longer than an hour, whatever a server says. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Until when servers that answered 429 asked to be left alone, by origin, in this thread: it holds for all of its subtasks. */
const closedUntil = new Map<string, number>();

async function originOpens(origin: string, spreadMs: number, signal: AbortSignal): Promise<void> {
  for (let left = (closedUntil.get(origin) ?? 0) - performance.now(); left > 0; ) {
    // Spread, or all would come in the moment that it opens.
    await wait(left + Math.random() * spreadMs, undefined, { signal });
    left = (closedUntil.get(origin) ?? 0) - performance.now();
  }
}

/** Where the body goes; looked at before the request, since that may do something that cannot be taken back. */
async function saveTarget(input: HttpInput, { cwd, folder }: BuiltInContext): Promise<Result<string | undefined, Failure>> {
  if (input.saveTo === undefined) return ok(undefined);
  const path = await resolvePath(input.saveTo, { cwd, folder, outside: input.outside }, 'target');
  if (!path.ok) return path;
  return input.overwrite !== true && (await isThere(path.value)) ? err(takenFailure(input.saveTo)) : path;
}

interface Attempt {
  readonly input: HttpInput;
  readonly context: BuiltInContext;
  /** From 1. */
  readonly tries: number;
  readonly target: string | undefined;
}

async function tryOnce(prepared: PreparedRequest, attempt: Attempt): Promise<Try> {
  const { input, context } = attempt;
  const timeoutMs = durationOr(input.timeout, 30_000);
  const expired = new AbortController();
  const timer = setTimeout(() => expired.abort(), timeoutMs);
  const name = `${prepared.method} ${shownUrl(prepared.url)}`;
  try {
    const signal = AbortSignal.any([context.signal, expired.signal]);
    const answer = await sendFollowing(prepared, input.redirects ?? 5, signal);
    return isExpected(answer.status, input.expect)
      ? { kind: 'answer', result: await accepted(answer, attempt, signal) }
      : await refused(answer, { name, prepared });
  } catch (error) {
    const code = errnoOf(error);
    if (expired.signal.aborted && !context.signal.aborted) {
      const reason = `${name}: no answer within ${timeoutMs} ms`;
      return mayRepeat(prepared) ? again(reason) : failed(reason);
    }
    if (!CONNECTION_CODES.has(code ?? '')) throw error;
    const reason = `${name}: ${error instanceof Error ? error.message : String(error)}`;
    // What was never sent cannot have been acknowledged.
    return mayRepeat(prepared) || code === 'ECONNREFUSED' || code === 'EAI_AGAIN' ? again(reason) : failed(reason);
  } finally {
    clearTimeout(timer);
  }
}

const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'HPE_INVALID_EOF_STATE',
  // A body that ends too early, compressed.
  'ERR_STREAM_PREMATURE_CLOSE',
  'Z_BUF_ERROR',
]);

function again(reason: string, afterMs?: number): Try {
  return { kind: 'again', reason, afterMs };
}

function failed(message: string): Try {
  return { kind: 'answer', result: err(actionFailure(message)) };
}

/** Whether the server would notice that it sees a request again, or it does not matter. */
function mayRepeat({ method, keyed }: PreparedRequest): boolean {
  return keyed || !(method === 'POST' || method === 'PATCH');
}

async function refused(
  answer: HttpAnswer,
  { name, prepared }: { readonly name: string; readonly prepared: PreparedRequest },
): Promise<Try> {
  const { status, headers } = answer;
  const afterMs = retryAfterMs(headers['retry-after'], { serverDate: headers.date, now: Date.now() });
  if (status === 429 && afterMs !== undefined) {
    const { origin } = prepared.url;
    closedUntil.set(origin, Math.max(closedUntil.get(origin) ?? 0, performance.now() + afterMs));
  }
  const body = (await discard(answer)).trim();
  const reason = `${name}: status ${status}${body === '' ? '' : `: ${body.slice(0, 300)}`}`;
  // 429 and 503 say that nothing was done; behind other codes a server may have done it.
  const worthIt = status === 429 || status === 503 || (status >= 500 && status !== 501 && mayRepeat(prepared));
  return worthIt ? again(reason, afterMs) : failed(reason);
}

async function accepted(answer: HttpAnswer, attempt: Attempt, signal: AbortSignal): Promise<Result<JsonValue, Failure>> {
  const { input, target, tries } = attempt;
  const shared = {
    status: answer.status,
    headers: { ...answer.headers } as Record<string, string>,
    url: shownUrl(answer.url),
    tries,
  };
  const most = input.maxBytes ?? (target === undefined ? MAX_BYTES : Number.POSITIVE_INFINITY);
  const pieces = bounded(answer, most);
  if (target !== undefined) {
    let bytes = 0;
    await makeParents(target);
    const placed = await placeNew(target, input.overwrite === true, async (temporary) => {
      bytes = await save(pieces, temporary, signal);
    });
    if (!placed) return err(takenFailure(input.saveTo ?? ''));
    return ok({ ...shared, body: null, bytes, savedTo: input.saveTo ?? null });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of pieces) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const body = await checkedBody(bytes, answer.headers['content-type'], input);
  return body.ok ? ok({ ...shared, body: body.value, bytes: bytes.length, savedTo: null }) : body;
}

async function* bounded(answer: HttpAnswer, most: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of answer.body) {
    bytes += chunk.length;
    if (bytes > most) throw new Error(`the answer has more than ${most} bytes: raise 'maxBytes', or use 'saveTo'`);
    yield chunk;
  }
}

/** Writes pieces to a new file; how many bytes that were. */
async function save(pieces: AsyncIterable<Buffer>, path: string, signal: AbortSignal): Promise<number> {
  const { pipeline } = await import('node:stream/promises');
  const file = createWriteStream(path, { flags: 'wx' });
  await pipeline(pieces, file, { signal });
  return file.bytesWritten;
}

/** Without the user and password that it may hold. */
function shownUrl(url: URL): string {
  if (url.username === '' && url.password === '') return url.href;
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}
