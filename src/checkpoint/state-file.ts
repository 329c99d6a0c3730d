import { readRegular } from '../data/files.js';
import { parseJson } from '../data/json.js';
import { decodeUtf8 } from '../data/text.js';
import type { JsonValue } from '../model/json.js';

/** No file of a state folder that is read whole is larger: a plan has at most 10 MiB, with all that it includes. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The text of a file of a state folder; undefined where it is not UTF-8. Rejects with the system's error or a `FileError`. */
export async function readStateText(file: string): Promise<string | undefined> {
  const text = decodeUtf8(await readRegular(file, MAX_BYTES));
  return text.ok ? text.value : undefined;
}

/** The value of a JSON file of a state folder; undefined where it is not JSON. Rejects like `readStateText`. */
export async function readStateJson(file: string): Promise<JsonValue | undefined> {
  return jsonOf((await readStateText(file)) ?? '');
}

/** The value of a text from a state folder; undefined where it is not JSON. */
export function jsonOf(text: string): JsonValue | undefined {
  const value = parseJson(text);
  return value.ok ? value.value : undefined;
}
