import { isJsonObject, type JsonValue } from '../model/json.js';
import { inertLine, shorten } from './inert.js';

const MOST_SAID = 10;
/** A command's output beyond this is data, not a word to its user. */
const MOST_OUTPUT = 200;

/** What a task says about its result: its `summary`, a text or a list of texts; of a command, its output, if that is one line. */
export function saidBy(results: JsonValue): readonly string[] {
  if (!isJsonObject(results)) return [];
  if (!Object.hasOwn(results, 'summary')) {
    const stdout = Object.hasOwn(results, 'stdout') ? results['stdout'] : undefined;
    if (typeof stdout !== 'string' || stdout.length > MOST_OUTPUT || !Object.hasOwn(results, 'exitCode')) return [];
    const text = stdout.trim();
    return text === '' || text.includes('\n') ? [] : [shorten(inertLine(text), 300)];
  }
  const { summary } = results;
  const lines = Array.isArray(summary) ? summary : [summary];
  return lines
    .filter((said): said is string => typeof said === 'string' && said.trim() !== '')
    .slice(0, MOST_SAID)
    .map((said) => shorten(inertLine(said.slice(0, 2000)), 300));
}
