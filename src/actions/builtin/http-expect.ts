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
  const text = bytes.toString('utf8');
  const { contains, schema } = input.expect ?? {};
  if (contains !== undefined && !text.includes(contains)) {
    return err(actionFailure(`the answer does not contain ${JSON.stringify(contains)}: ${text.slice(0, 200)}`));
  }
  const asJson = input.parse === 'json' || schema !== undefined || (input.parse !== 'text' && isJson(contentType));
  if (!asJson) return ok(text);
  let body: JsonValue;
  try {
    body = text === '' && schema === undefined && input.parse !== 'json' ? null : (JSON.parse(text) as JsonValue);
  } catch (error) {
    return err(actionFailure(`the answer is not JSON: ${error instanceof Error ? error.message : String(error)}`));
  }
  if (schema === undefined) return ok(body);
  const fits = await misfit(schema, body);
  if (!fits.ok) return err(inputFailure(`http/request: 'expect.schema' is not a JSON Schema: ${fits.error}`));
  return fits.value === undefined ? ok(body) : err(actionFailure(`the answer does not fit 'expect.schema': ${fits.value}`));
}

/** `application/json`, `application/problem+json` and the like. */
function isJson(contentType: string | undefined): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(contentType ?? '');
}
