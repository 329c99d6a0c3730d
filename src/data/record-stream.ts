import type { JsonValue } from '../model/json.js';
import type { Result } from '../model/result.js';
import { PieceDecoder } from './charset.js';
import type { DataProblem } from './place.js';
import type { RecordLayout } from './record-format.js';
import type { Step } from './record-kind.js';
import { MAX_RECORD_BYTES, RecordReader } from './record-reader.js';

/** Reads bytes to the beginning of a buffer; 0 at the end of the file. */
export type ReadPiece = (into: Buffer) => Promise<number>;

const PIECE_BYTES = 1024 * 1024;

/** The records of a file of any size. Memory holds a piece of the file and its longest record. */
export class RecordStream {
  readonly #reader: RecordReader;
  readonly #read: ReadPiece;
  readonly #decoder: PieceDecoder | undefined;
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES);
  #storage = Buffer.allocUnsafe(2 * PIECE_BYTES);
  /** The window: the beginning of the storage. */
  #bytes = this.#storage.subarray(0, 0);
  #last = false;
  #problem: DataProblem | undefined;

  constructor(layout: RecordLayout, read: ReadPiece) {
    this.#reader = new RecordReader(layout);
    this.#read = read;
    this.#decoder = layout.encoding === 'utf-8' ? undefined : new PieceDecoder(layout.encoding);
  }

  /** The next record in the window; after 'more', `fill` comes first. */
  next(): Exclude<Step, 'header'> {
    const step = this.#reader.next(this.#bytes, this.#last);
    return step === 'more' && this.#problem !== undefined ? this.#problem : step;
  }

  /** The value of the record found last, until the window is filled again. */
  value(): Result<JsonValue, DataProblem> {
    return this.#reader.value(this.#bytes);
  }

  /** Bytes of the record found last. */
  get recordBytes(): number {
    return this.#reader.end - this.#reader.start;
  }

  /** Adds a piece of the file to the window; the longer the record in it, the more, since it is looked at from its beginning again. */
  async fill(): Promise<void> {
    const target = Math.min(2 * (this.#bytes.length - this.#reader.place), MAX_RECORD_BYTES + 1);
    do await this.#addPiece();
    while (!this.#last && this.#problem === undefined && this.#bytes.length - this.#reader.place < target);
  }

  async #addPiece(): Promise<void> {
    const count = await this.#read(this.#piece);
    this.#last = count === 0;
    const piece = this.#piece.subarray(0, count);
    if (this.#decoder === undefined) {
      this.#append(piece);
      return;
    }
    this.#append(Buffer.from(this.#decoder.decode(piece, this.#last)));
    this.#problem = this.#decoder.problem;
    if (this.#problem !== undefined) this.#last = false;
  }

  #append(piece: Buffer): void {
    const { place } = this.#reader;
    const kept = this.#bytes.length - place;
    if (kept + piece.length > this.#storage.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#storage.length, kept + piece.length));
      this.#bytes.copy(larger, 0, place);
      this.#reader.drop(this.#bytes, place);
      this.#storage = larger;
    } else {
      this.#reader.drop(this.#bytes, place);
      this.#storage.copyWithin(0, place, this.#bytes.length);
    }
    piece.copy(this.#storage, kept);
    this.#bytes = this.#storage.subarray(0, kept + piece.length);
  }
}
