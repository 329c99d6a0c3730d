import type { ValidateFunction } from 'ajv';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';

const compiled = new Map<string, Result<ValidateFunction, string>>();

/** A bound for a thread that lives long; a plan has few schemas. */
const MOST_COMPILED = 100;

/**
 * Whether a value fits a JSON Schema (draft-07) that a plan gives: `undefined`, or what does not fit. The error is a
 * schema that is none. Ajv is loaded with the first schema, once for each thread.
 */
export async function misfit(schema: JsonObject, value: JsonValue): Promise<Result<string | undefined, string>> {
  const validate = await compile(schema);
  if (!validate.ok) return validate;
  if (validate.value(value)) return ok(undefined);
  const told = (validate.value.errors ?? []).slice(0, 3).map(({ instancePath, message, params }) => {
    const extra = 'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : '';
    return `${instancePath === '' ? 'it' : instancePath} ${message ?? 'does not fit'}${extra}`;
  });
  return ok(told.join('; '));
}

async function compile(schema: JsonObject): Promise<Result<ValidateFunction, string>> {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const { Ajv } = await import('ajv');
  let made: Result<ValidateFunction, string>;
  try {
    // Not strict: it is the user's schema, and may hold words for other tools.
    made = ok(new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema));
  } catch (error) {
    made = err(error instanceof Error ? error.message : String(error));
  }
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  compiled.set(text, made);
  return made;
}
