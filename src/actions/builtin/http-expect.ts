import { decodeAs, encodingOf } from '../../data/charset.js';
import { parseJson } from '../../data/json.js';
import { inWords } from '../../data/place.js';
import type { Failure } from '../../model/failure.js';
import type { JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { misfit } from './answer-schema.js';
import { actionFailure, inputFailure } from './failures.js';
import type { HttpExpectation, HttpInput } from './http-input.js';

/** Whether a status is one that is asked for; without a wish, 200 to 299. */
export function isExpected(status: number, expect: HttpExpectation | undefined): boolean {
  const wanted = expect?.status;
  if (wanted === undefined) return status >= 200 && status <= 299;
  return typeof wanted === 'number' ? status === wanted : wanted.includes(status);
}

/** A body as it is asked for; the failure is one that is not as expected. */
export async function checkedBody(
  bytes: Buffer,
  contentType: string | undefined,
  input: HttpInput,
): Promise<Result<JsonValue, Failure>> {
  if (input.parse === 'base64') return ok(bytes.toString('base64'));
  const decoded = decodedBody(bytes, contentType);
  if (!decoded.ok) return decoded;
  const text = decoded.value;
  const { contains, schema } = input.expect ?? {};
  if (contains !== undefined && !text.includes(contains)) {
    return err(actionFailure(`the answer does not contain ${JSON.stringify(contains)}: ${text.slice(0, 200)}`));
  }
  const asJson = input.parse === 'json' || schema !== undefined || (input.parse !== 'text' && isJson(contentType));
  if (!asJson) return ok(text);
  if (text === '' && schema === undefined && input.parse !== 'json') return ok(null);
  const parsed = parseJson(text);
  if (!parsed.ok) return err(actionFailure(inWords('the answer', parsed.error)));
  const body = parsed.value;
  if (schema === undefined) return ok(body);
  const fits = await misfit(schema, body);
  if (!fits.ok) return err(inputFailure(`http/request: 'expect.schema' is not a JSON Schema: ${fits.error}`));
  return fits.value === undefined ? ok(body) : err(actionFailure(`the answer does not fit 'expect.schema': ${fits.value}`));
}

/** A body as text, in the encoding that the answer names, else in UTF-8. */
function decodedBody(bytes: Buffer, contentType: string | undefined): Result<string, Failure> {
  const label = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/i
    .exec(contentType ?? '')
    ?.slice(1)
    .find(Boolean);
  const encoding = label === undefined ? 'utf-8' : encodingOf(label);
  if (encoding === undefined) {
    return err(actionFailure(`the answer is in the unknown charset ${JSON.stringify(label?.slice(0, 60))}; ${RAW_HINT}`));
  }
  const text = decodeAs(bytes, encoding);
  if (text.ok) return text;
  const charset = label === undefined ? 'no charset' : `the charset ${encoding}`;
  return err(actionFailure(`${inWords(`the answer, which names ${charset}`, text.error)}; ${RAW_HINT}`));
}

const RAW_HINT = "'saveTo' and 'parse: base64' keep its bytes";

/** `application/json`, `application/problem+json` and the like. */
function isJson(contentType: string | undefined): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(contentType ?? '');
}
