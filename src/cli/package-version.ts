import { readFileSync } from 'node:fs';
import { ownJson } from '../model/json.js';

/** The version of the installed package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (ownJson(text) as { readonly version: string }).version;
}
