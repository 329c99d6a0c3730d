import { closeSync, constants, fstatSync, openSync, readSync, type Stats, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { displayText } from './text.js';

/** A file that cannot be read for what it is. Has a code, as the errors of `node:fs` have. */
export class FileError extends Error {
  /** EFTYPE: not a regular file; EISDIR: a folder; EFBIG: larger than the bound. */
  readonly code: 'EFTYPE' | 'EISDIR' | 'EFBIG';

  constructor(code: FileError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

// Opening a pipe without O_NONBLOCK waits until another process opens its other end.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;
const APPEND_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const PIECE_BYTES = 256 * 1024;

/** Opens a regular file to read. Rejects with the system's error or a `FileError`. */
export async function openRegular(file: string): Promise<FileHandle> {
  const handle = await open(file, FLAGS);
  try {
    mustBeRegular(await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens a file for appending, and creates it if it is missing. Rejects with ENXIO for a pipe without a reader. */
export function openToAppend(file: string): Promise<FileHandle> {
  return open(file, APPEND_FLAGS);
}

/** Appends a text to a file, at once. Throws like `openToAppend` rejects. */
export function appendSync(file: string, text: string): void {
  const descriptor = openSync(file, APPEND_FLAGS);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

/** All bytes of a regular file. Rejects with the system's error or a `FileError`. */
export async function readRegular(file: string, maxBytes: number, signal?: AbortSignal): Promise<Buffer> {
  const handle = await openRegular(file);
  try {
    const { size } = await handle.stat();
    const pieces = new Pieces(size, maxBytes);
    for (;;) {
      signal?.throwIfAborted();
      const piece = pieces.room();
      const { bytesRead } = await handle.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return pieces.all();
      pieces.take(bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** The same, at once. Throws. */
export function readRegularSync(file: string, maxBytes: number): Buffer {
  const descriptor = openSync(file, FLAGS);
  try {
    const status = fstatSync(descriptor);
    mustBeRegular(status);
    const pieces = new Pieces(status.size, maxBytes);
    for (;;) {
      const piece = pieces.room();
      const count = readSync(descriptor, piece, 0, piece.length, null);
      if (count === 0) return pieces.all();
      pieces.take(count);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The bytes of a regular file, piece by piece. Throws the system's error or a `FileError`. */
export async function* piecesOfRegular(file: string, pieceBytes = PIECE_BYTES): AsyncGenerator<Buffer, void, undefined> {
  const handle = await openRegular(file);
  // Closes the file when it ends, and when its reader stops.
  yield* handle.createReadStream({ highWaterMark: pieceBytes }) as AsyncIterable<Buffer>;
}

/** The text of a small regular file, with U+FFFD for bytes that are not UTF-8. Throws. */
export function readTextForDisplay(file: string): string {
  return displayText(readRegularSync(file, TEXT_BYTES));
}

const TEXT_BYTES = 64 * 1024 ** 2;

function mustBeRegular(status: Stats): void {
  if (status.isDirectory()) throw new FileError('EISDIR', 'it is a folder, not a file');
  if (!status.isFile()) throw new FileError('EFTYPE', 'it is not a regular file');
}

/** The bytes read so far. A file's size is where to begin, no more: it may grow, and those of /proc say 0. */
class Pieces {
  readonly #maxBytes: number;
  #bytes: Buffer;
  #length = 0;

  constructor(size: number, maxBytes: number) {
    if (size > maxBytes) throw new FileError('EFBIG', `it has ${size} bytes, more than ${maxBytes}`);
    this.#maxBytes = maxBytes;
    // One byte more, so that the end is found without another piece.
    this.#bytes = Buffer.allocUnsafe(size === 0 ? PIECE_BYTES : size + 1);
  }

  room(): Buffer {
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    if (this.#length === this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(2 * this.#bytes.length, this.#maxBytes + PIECE_BYTES));
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(this.#length);
  }

  take(count: number): void {
    this.#length += count;
  }

  all(): Buffer {
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    return this.#bytes.subarray(0, this.#length);
  }
}

function tooLarge(maxBytes: number): FileError {
  return new FileError('EFBIG', `it has more than ${maxBytes} bytes`);
}
