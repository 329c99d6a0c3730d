import type { RunManifest } from '../checkpoint/run-store.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Mask } from '../model/mask.js';
import type { FoundRun } from './find-run.js';

type Environment = Readonly<Record<string, string>>;

/**
 * The params whose values hold a secret, for the manifest, which keeps them masked: by name, the variable whose value it is as a whole,
 * null where a secret is but a part of it. Undefined where there are none.
 */
export function secretParamsOf(
  { params, secrets }: { readonly params: JsonObject; readonly secrets: readonly string[] },
  mask: Mask,
  env: Environment,
): JsonObject | undefined {
  const held = Object.entries(params).filter(([, value]) => mask.json(value) !== value);
  if (held.length === 0) return undefined;
  const variableOf = (value: JsonValue) => secrets.find((name) => env[name] === String(value)) ?? null;
  return Object.fromEntries(held.map(([name, value]) => [name, variableOf(value)]));
}

/** A run whose params have their values again, and the names of those that nobody can tell: they are masked as before. */
export interface UnmaskedRun {
  readonly found: FoundRun;
  readonly missing: readonly string[];
}

/** Puts secrets back into the params of a run: those that are `given`, and those that are in the environment. */
export function unmasked(found: FoundRun, env: Environment, given: Readonly<Record<string, string>> = {}): UnmaskedRun {
  const { manifest } = found;
  const missing: string[] = [];
  const values = Object.entries(manifest.secretParams ?? {}).flatMap(([name, variable]): [string, JsonValue][] => {
    const value = Object.hasOwn(given, name) ? given[name] : typeof variable === 'string' ? env[variable] : undefined;
    if (value === undefined || value === '') missing.push(name);
    return value === undefined || value === '' ? [] : [[name, value]];
  });
  return {
    found: { ...found, manifest: { ...manifest, params: { ...manifest.params, ...Object.fromEntries(values) } } },
    missing,
  };
}

/** Why a run cannot go on with the params that it has and those that are given, and the way out; undefined where it can. */
export function paramsProblem(
  { run, manifest }: { readonly run: string; readonly manifest: RunManifest },
  missing: readonly string[],
  given: Readonly<Record<string, string>>,
): { readonly message: string; readonly hint: string } | undefined {
  const secrets = manifest.secretParams ?? {};
  const other = Object.keys(given).find((name) => !Object.hasOwn(secrets, name));
  if (other !== undefined) {
    const message = `--param ${other}: a run goes on with the params that it has`;
    const held = Object.keys(secrets).join(', ');
    return {
      message,
      hint: held === '' ? 'to change one, start a new run: waveplan run' : `only what holds a secret may be given: ${held}`,
    };
  }
  if (missing.length === 0) return undefined;
  const variables = missing.flatMap((name) => (typeof secrets[name] === 'string' ? [secrets[name]] : []));
  const orSet = variables.length === missing.length ? `, or set ${variables.join(', ')} in the environment` : '';
  return {
    message: `a secret is kept nowhere: ${missing.length === 1 ? 'the value of param' : 'the values of params'} ${missing.join(', ')}`,
    hint: `pass it again: waveplan resume ${run} ${missing.map((name) => `--param ${name}=…`).join(' ')}${orSet}`,
  };
}
