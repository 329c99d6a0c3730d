/** A mistake in CSV text, at a line counted from 1. */
export interface CsvProblem {
  readonly line: number;
  readonly message: string;
}

/**
 * Reads CSV as it comes, in pieces cut anywhere: RFC 4180, with any line end (CRLF, LF or CR), quotes doubled within
 * quotes, and line breaks within quotes. An empty line is no record.
 */
export class CsvReader {
  readonly #delimiter: string;
  #row: string[] = [];
  #field = '';
  /** Where the reader is within a field; `quote` is behind a quote that may be the end or the first of two. */
  #state: 'start' | 'plain' | 'quoted' | 'quote' = 'start';
  #afterReturn = false;
  #line = 1;
  #quoteLine = 1;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** The line that the next character stands in, from 1. */
  get line(): number {
    return this.#line;
  }

  /** The records that end in this piece of text. */
  push(text: string): readonly (readonly string[])[] | CsvProblem {
    const rows: string[][] = [];
    let at = 0;
    while (at < text.length) {
      if (this.#state === 'quoted') {
        const quote = text.indexOf('"', at);
        const end = quote === -1 ? text.length : quote;
        this.#field += text.slice(at, end);
        for (let i = text.indexOf('\n', at); i !== -1 && i < end; i = text.indexOf('\n', i + 1)) this.#line += 1;
        if (quote !== -1) this.#state = 'quote';
        at = end + 1;
        continue;
      }
      const character = text[at] ?? '';
      at += 1;
      if (this.#afterReturn) {
        this.#afterReturn = false;
        if (character === '\n') continue;
      }
      if (character === this.#delimiter) {
        this.#endField();
      } else if (character === '\n' || character === '\r') {
        this.#afterReturn = character === '\r';
        const blank = this.#row.length === 0 && this.#state === 'start';
        if (!blank) rows.push(this.#endRow());
        this.#line += 1;
      } else if (character === '"' && this.#state === 'start') {
        this.#state = 'quoted';
        this.#quoteLine = this.#line;
      } else if (character === '"' && this.#state === 'quote') {
        this.#field += '"';
        this.#state = 'quoted';
      } else if (this.#state === 'quote') {
        return { line: this.#line, message: `text behind the quote that ends a field: ${JSON.stringify(character)}` };
      } else {
        const end = this.#plainEnd(text, at);
        this.#field += text.slice(at - 1, end);
        this.#state = 'plain';
        at = end;
      }
    }
    return rows;
  }

  /** The record that the text ends in, if it does not end with a line's end. */
  end(): readonly (readonly string[])[] | CsvProblem {
    if (this.#state === 'quoted') return { line: this.#quoteLine, message: 'the quote that begins here is not closed' };
    return this.#row.length === 0 && this.#state === 'start' ? [] : [this.#endRow()];
  }

  /** The first offset from `at` on at which plain text may end. */
  #plainEnd(text: string, at: number): number {
    let end = at;
    while (end < text.length) {
      const character = text[end];
      if (character === this.#delimiter || character === '\n' || character === '\r') break;
      end += 1;
    }
    return end;
  }

  #endField(): void {
    this.#row.push(this.#field);
    this.#field = '';
    this.#state = 'start';
  }

  #endRow(): string[] {
    this.#endField();
    const row = this.#row;
    this.#row = [];
    return row;
  }
}
