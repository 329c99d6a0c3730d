import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { displayText } from '../../data/text.js';

/** One HTTP request, with nothing left open. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer | undefined;
}

/** An answer whose body is still to come: read it, or `discard` it. */
export interface HttpAnswer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Decompressed. */
  readonly body: Readable;
}

// Connections are kept, and shared by all subtasks of a thread; how many there are, the number of agents bounds.
const KEPT = { keepAlive: true, maxFreeSockets: 1024 } as const;
const agent = new Agent(KEPT);
const secureAgent = new SecureAgent(KEPT);

/** Sends a request and resolves with the head of the answer. Rejects with the system's error, or when `signal` aborts. */
export function send({ url, method, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const options = { method, headers, signal, agent: secure ? secureAgent : agent };
    const sent = secure ? requestHttps(url, options) : requestHttp(url, options);
    sent.on('error', reject);
    sent.on('response', (response) => {
      resolve({ url, status: response.statusCode ?? 0, headers: response.headers, body: bodyOf(response, method) });
    });
    sent.end(body);
  });
}

function bodyOf(response: IncomingMessage, method: string): Readable {
  const { statusCode, headers } = response;
  // Such an answer names the coding of a body that it does not have.
  const bodiless = method === 'HEAD' || statusCode === 204 || statusCode === 304 || headers['content-length'] === '0';
  const decoder = bodiless ? undefined : decoderFor(headers['content-encoding']);
  // The error of a broken connection reaches the reader through the decoder.
  return decoder === undefined ? response : pipeline(response, decoder, () => {});
}

function decoderFor(coding: string | undefined): ReturnType<typeof createGunzip> | undefined {
  switch (coding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return undefined;
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Sends a request and follows at most `most` redirects; the answer to the last one counts, be it a redirect itself. */
export async function sendFollowing(first: HttpRequest, most: number, signal: AbortSignal): Promise<HttpAnswer> {
  let request = first;
  for (let followed = 0; ; followed += 1) {
    const answer = await send(request, signal);
    const next = followed < most ? redirected(request, answer) : undefined;
    if (next === undefined) return answer;
    await discard(answer);
    request = next;
  }
}

/** The request that a redirect asks for, as browsers make it. */
function redirected(request: HttpRequest, { status, headers }: HttpAnswer): HttpRequest | undefined {
  if (!REDIRECTS.has(status) || headers.location === undefined) return undefined;
  const url = URL.canParse(headers.location, request.url.href) ? new URL(headers.location, request.url) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const kept = Object.entries(request.headers).filter(([name]) => url.origin === request.url.origin || !PRIVATE.has(name));
  const becomesGet = status === 303 ? request.method !== 'HEAD' : status <= 302 && request.method === 'POST';
  if (!becomesGet) return { ...request, url, headers: Object.fromEntries(kept) };
  const bodiless = kept.filter(([name]) => !name.startsWith('content-'));
  return { url, method: 'GET', headers: Object.fromEntries(bodiless), body: undefined };
}

/** What another server has no business to know. */
const PRIVATE: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Bytes of an unwanted body that are read so that its connection can be kept; a longer one is cut off. */
const DISCARD_BYTES = 64 * 1024;

/** Reads the beginning of a body that nobody wants, for a message, and leaves its connection usable. */
export async function discard({ body }: HttpAnswer): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > DISCARD_BYTES) break;
      kept.push(chunk);
    }
  } catch {
    // What there is of it is enough.
  }
  return displayText(Buffer.concat(kept));
}
