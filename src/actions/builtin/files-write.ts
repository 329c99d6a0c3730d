import { lstat, readFile, stat, writeFile } from 'node:fs/promises';
import type { Failure } from '../../model/failure.js';
import type { JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { actionFailure, inputFailure } from './failures.js';
import { resolvePath, shown } from './paths.js';
import type { BuiltIn } from './perform-built-in.js';
import { makeParents, placeNew } from './place.js';

/** `with` of `files/write`; its schema says more. */
export interface WriteInput {
  readonly path: string;
  readonly text?: string;
  readonly base64?: string;
  readonly json?: JsonValue;
  readonly overwrite?: boolean;
  readonly outside?: boolean;
}

/**
 * Writes one file by a temporary neighbour that is renamed. A file with this very content counts as written, so that
 * an attempt that was cut short after its work can be made again.
 */
export const writeOne: BuiltIn<WriteInput> = async (input, { cwd, folder, signal }) => {
  const content = contentOf(input);
  if (!content.ok) return content;
  const bounds = { cwd, folder, outside: input.outside };
  const path = await resolvePath(input.path, bounds, 'target');
  if (!path.ok) return path;
  const bytes = content.value.length;
  const there = await lstat(path.value).catch(() => undefined);
  if (there?.isDirectory() === true) return err(inputFailure(`${shown(input.path)} is a folder`));
  if (there?.isFile() === true && there.size === bytes && (await readFile(path.value)).equals(content.value)) {
    return ok({ path: input.path, bytes, changed: false });
  }
  if (there !== undefined && input.overwrite !== true) return err(takenFailure(input.path));
  await makeParents(path.value);
  const mode = there?.isFile() === true ? (await stat(path.value)).mode & 0o7777 : 0o666;
  const placed = await placeNew(path.value, input.overwrite === true, (temporary) =>
    writeFile(temporary, content.value, { flag: 'wx', mode, signal }),
  );
  return placed ? ok({ path: input.path, bytes, changed: true }) : err(takenFailure(input.path));
};

/** The failure of a name that something else has. */
export function takenFailure(path: string): Failure {
  return actionFailure(`${shown(path)} is there already: 'overwrite: true' would replace it`);
}

function contentOf({ text, base64, json }: WriteInput): Result<Buffer, Failure> {
  const given = [text, base64, json].filter((content) => content !== undefined);
  if (given.length !== 1) return err(inputFailure("files/write: 'with' must have exactly one of 'text', 'base64' and 'json'"));
  if (text !== undefined) return ok(Buffer.from(text));
  if (base64 !== undefined) return ok(Buffer.from(base64, 'base64'));
  return ok(Buffer.from(`${JSON.stringify(json, undefined, 2)}\n`));
}
