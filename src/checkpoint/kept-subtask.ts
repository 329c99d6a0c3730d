import { fromRecordLine } from '../data/checkpoint-line.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { toRecordLine } from '../model/record-line.js';
import { changeText, type FingerprintParts } from './fingerprint-parts.js';
import { jsonOf } from './state-file.js';

/*
 * What a subtask was when it last succeeded, as one line of text, so that ten thousand of them are read without being parsed and
 * compared without being taken apart:
 *
 *     state ⇥ outputs ⇥ record
 *
 *   state    the hashes of its definition, module, environment and results with spaces between them, a tab, and its input files
 *            as JSON: a list of path, hash, path, hash …, or one hash where there are too many to be named
 *   outputs  its output files as it left them: a list like that
 *   record   the line of its checkpoint, with its checksum
 *
 * JSON holds no tab that is not escaped.
 */

/** A state, to be compared as a text. */
export function stateText({ definition, module, env, results, files, fileHashes }: FingerprintParts): string {
  return `${definition} ${module} ${env} ${results}\t${fileHashes === undefined ? JSON.stringify(files) : pairsText(Object.entries(fileHashes))}`;
}

/** Files with their hashes, as one list. */
export function pairsText(files: Iterable<readonly [path: string, hash: string]>): string {
  let text = '';
  // Most lists are one pair: no list is made of it only to be written.
  for (const [path, hash] of files) text += `${text === '' ? '[' : ','}${JSON.stringify(path)},"${hash}"`;
  return text === '' ? '[]' : `${text}]`;
}

/** The line of a subtask that succeeded. */
export function keptText(state: string, outputs: Iterable<readonly [string, string]>, checkpoint: Checkpoint): string {
  return `${state}\t${pairsText(outputs)}\t${toRecordLine(checkpoint).slice(0, -1)}`;
}

/** Whether a line was kept in this very state. */
export function isInState(kept: string, state: string): boolean {
  return kept.startsWith(state) && kept.charCodeAt(state.length) === TAB;
}

/** The outputs of a line, as path, hash, path, hash. */
export function outputsOf(kept: string): readonly string[] {
  const begin = kept.indexOf('\t', kept.indexOf('\t') + 1) + 1;
  const end = kept.indexOf('\t', begin);
  return end - begin === 2 ? NOTHING : ((jsonOf(kept.slice(begin, end)) ?? NOTHING) as readonly string[]);
}

/** The record of a line, with its line end: bytes for a journal. */
export function recordOf(kept: string): string {
  return `${kept.slice(kept.lastIndexOf('\t') + 1)}\n`;
}

/** The checkpoint of a line; undefined where it is not what was written. */
export function checkpointOf(kept: string): Checkpoint | undefined {
  return fromRecordLine(Buffer.from(kept.slice(kept.lastIndexOf('\t') + 1)));
}

/** Why a subtask is not in the state in which it was kept, in words that follow "it runs: ". */
export function stateChange(kept: string, now: string): string | undefined {
  return changeText(partsOf(kept), partsOf(now));
}

function partsOf(text: string): FingerprintParts {
  const [hashes = '', files = ''] = text.split('\t', 2);
  const [definition = '', module = '', env = '', results = ''] = hashes.split(' ');
  const value = (jsonOf(files) ?? '') as string | readonly string[];
  const parts = { definition, module, env, results, files };
  if (typeof value === 'string') return parts;
  const fileHashes: Record<string, string> = Object.create(null);
  for (let i = 0; i + 1 < value.length; i += 2) fileHashes[value[i] ?? ''] = value[i + 1] ?? '';
  return { ...parts, fileHashes };
}

const TAB = 9;
const NOTHING: readonly string[] = [];
