import type { SourceRange } from '../model/diagnostic.js';
import { LineIndex } from './line-index.js';
import type { Span } from './source-node.js';

/** One file of a plan: the plan's own, or one that it includes. */
export interface SourceFile {
  /** Absolute. */
  readonly file: string;
  /** As diagnostics name it. */
  readonly displayName: string;
  readonly text: string;
}

/** A file among the texts; offsets from `start` on are its own. */
export interface SourceText extends SourceFile {
  readonly start: number;
}

/** A place as people read it. */
export interface Place {
  /** The file's display name. */
  readonly file: string;
  readonly range: SourceRange;
}

/**
 * The texts of a plan and of all that it includes, behind one another as if they were one, so that a span is two
 * offsets whichever file it lies in, and every check works across files without knowing of them.
 */
export class SourceTexts {
  readonly main: SourceText;
  readonly #files: SourceText[];
  readonly #lines = new Map<SourceText, LineIndex>();
  #text: string;

  constructor(main: SourceFile) {
    this.main = { ...main, start: 0 };
    this.#files = [this.main];
    this.#text = main.text;
  }

  /** Adds a file; the line break between files keeps the end of one from being the start of the next. */
  add(file: SourceFile): SourceText {
    const added = { ...file, start: this.#text.length + 1 };
    this.#files.push(added);
    this.#text += `\n${file.text}`;
    return added;
  }

  /** All texts as one: what spans are offsets into. */
  get text(): string {
    return this.#text;
  }

  /** The files that were added, without the plan's own. */
  get included(): readonly SourceText[] {
    return this.#files.slice(1);
  }

  /** The file that an offset lies in. */
  at(offset: number): SourceText {
    return this.#files.findLast((file) => file.start <= offset) ?? this.main;
  }

  /** A span by file, line and column. */
  place(span: Span): Place {
    const file = this.at(span.start);
    const lines = this.#lines.get(file) ?? new LineIndex(file.text);
    this.#lines.set(file, lines);
    return { file: file.displayName, range: lines.range({ start: span.start - file.start, end: span.end - file.start }) };
  }
}
