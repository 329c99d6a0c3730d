import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Failure } from '../../model/failure.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { parseDuration } from '../../plan/quantities.js';
import { inputFailure } from './failures.js';
import type { HttpRequest } from './http-client.js';

type Scalars = Readonly<Record<string, string | number | boolean>>;

/** `with` of `http/request`; its schema says more. */
export interface HttpInput {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Scalars;
  readonly query?: Scalars;
  readonly json?: JsonValue;
  readonly text?: string;
  readonly form?: Scalars;
  readonly expect?: HttpExpectation;
  readonly parse?: 'auto' | 'json' | 'text' | 'base64';
  readonly saveTo?: string;
  readonly overwrite?: boolean;
  readonly outside?: boolean;
  readonly maxBytes?: number;
  readonly redirects?: number;
  readonly timeout?: string;
  readonly retries?: { readonly max?: number; readonly backoff?: string; readonly maxWait?: string };
  readonly idempotencyKey?: string | boolean;
  readonly idempotencyHeader?: string;
}

/** What the answer must be. */
export interface HttpExpectation {
  readonly status?: number | readonly number[];
  readonly contains?: string;
  readonly schema?: JsonObject;
}

/** A request that may carry a key by which the server can tell that it saw it before. */
export interface PreparedRequest extends HttpRequest {
  readonly keyed: boolean;
}

/** Methods whose repetition a server should be able to tell; the others change nothing, or the same thing twice. */
const KEYED: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** The request that an input describes. @param key of the subtask, for the idempotency header. */
export function requestOf(input: HttpInput, key: string): Result<PreparedRequest, Failure> {
  if (!URL.canParse(input.url)) return err(inputFailure(`http/request: ${JSON.stringify(input.url).slice(0, 300)} is not a URL`));
  const url = new URL(input.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return err(inputFailure(`http/request: a URL begins with http:// or https://, not ${url.protocol}`));
  }
  for (const [name, value] of Object.entries(input.query ?? {})) url.searchParams.append(name, String(value));
  if (input.saveTo !== undefined && (input.expect?.contains !== undefined || input.expect?.schema !== undefined)) {
    return err(inputFailure("http/request: with 'saveTo', 'expect' looks at the status only"));
  }
  const body = bodyOf(input);
  if (!body.ok) return body;
  const method = input.method ?? 'GET';
  const keyed = KEYED.has(method) && input.idempotencyKey !== false;
  const given = Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const headers: Record<string, string> = {
    accept: '*/*',
    'accept-encoding': 'gzip, deflate, br',
    'user-agent': 'waveplan',
    ...(body.value && { 'content-type': body.value.type, 'content-length': String(body.value.bytes.length) }),
    ...(keyed && {
      [(input.idempotencyHeader ?? 'Idempotency-Key').toLowerCase()]:
        typeof input.idempotencyKey === 'string' ? input.idempotencyKey : key,
    }),
    ...Object.fromEntries(given),
  };
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      return err(inputFailure(`http/request: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
  return ok({ url, method, headers, body: body.value?.bytes, keyed });
}

function bodyOf({ json, text, form }: HttpInput): Result<{ readonly bytes: Buffer; readonly type: string } | undefined, Failure> {
  if ([json, text, form].filter((body) => body !== undefined).length > 1) {
    return err(inputFailure("http/request: 'with' has more than one of 'json', 'text' and 'form'"));
  }
  if (json !== undefined) return ok({ bytes: Buffer.from(JSON.stringify(json)), type: 'application/json' });
  if (text !== undefined) return ok({ bytes: Buffer.from(text), type: 'text/plain; charset=utf-8' });
  if (form === undefined) return ok(undefined);
  const fields = new URLSearchParams(Object.entries(form).map(([name, value]): [string, string] => [name, String(value)]));
  return ok({ bytes: Buffer.from(fields.toString()), type: 'application/x-www-form-urlencoded' });
}

/** Milliseconds of a duration that fits its schema. */
export function durationOr(text: string | undefined, otherwise: number): number {
  const parsed = text === undefined ? ok(otherwise) : parseDuration(text);
  // Timers hold 31 bits.
  return parsed.ok ? Math.min(parsed.value, 2 ** 31 - 1) : otherwise;
}
