/** Columns of time: enough for a wide chart. Even, because columns merge in pairs. */
const COLUMNS = 240;
const FIRST_WIDTH_MS = 1;

/**
 * Amounts over time by row, in bounded memory: when time runs past the last column, or a row past the last row, neighbours
 * merge in pairs and every column (or row) stands for twice as much. So it serves a second and a week, ten agents and a million.
 */
export class TimeGrid {
  readonly #origin: number;
  readonly #mostRows: number;
  readonly #rows = new Map<number, Float64Array>();
  #width = FIRST_WIDTH_MS;
  #perRow = 1;
  #last = -1;

  /** `origin`: the time of the first column's start, in milliseconds. */
  constructor(origin: number, mostRows = 1) {
    this.#origin = origin;
    this.#mostRows = mostRows;
  }

  /** Adds an amount at one moment. */
  addAt(time: number, amount: number, row = 0): void {
    if (!Number.isFinite(time)) return;
    const column = this.#columnOf(time);
    this.#add(this.#rowOf(row), column, amount);
  }

  /** Adds the milliseconds from one moment to another to the columns that they fall into. */
  addSpan(from: number, to: number, row = 0): void {
    if (!Number.isFinite(from) || !Number.isFinite(to) || to <= from) return;
    const last = this.#columnOf(to);
    const first = Math.min(last, this.#columnOf(from));
    const cells = this.#rowOf(row);
    for (let column = first; column <= last; column++) {
      const start = this.#origin + column * this.#width;
      const inside = Math.min(to, start + this.#width) - Math.max(from, start);
      if (inside > 0) this.#add(cells, column, inside);
    }
  }

  /** Milliseconds that a column stands for. */
  get width(): number {
    return this.#width;
  }

  /** Makes columns as wide as those of another grid, so that they can be compared. */
  widenTo(width: number): void {
    while (this.#width < width) this.#doubleWidth();
  }

  /** Numbers that a row stands for, such as agents. */
  get perRow(): number {
    return this.#perRow;
  }

  /** The columns up to the last one with an amount, of a row; zeros where it has none. */
  row(row = 0): readonly number[] {
    const cells = this.#rows.get(row) ?? new Float64Array(COLUMNS);
    return [...cells.subarray(0, this.#last + 1)];
  }

  /** The rows with an amount, in order. */
  rows(): readonly number[] {
    return [...this.#rows.keys()].sort((a, b) => a - b);
  }

  #columnOf(time: number): number {
    const since = Math.max(0, time - this.#origin);
    while (since >= COLUMNS * this.#width) this.#doubleWidth();
    return Math.floor(since / this.#width);
  }

  #rowOf(index: number): Float64Array {
    const wanted = Math.max(0, index);
    while (wanted >= this.#mostRows * this.#perRow) this.#mergeRows();
    const row = Math.floor(wanted / this.#perRow);
    const known = this.#rows.get(row);
    if (known !== undefined) return known;
    const cells = new Float64Array(COLUMNS);
    this.#rows.set(row, cells);
    return cells;
  }

  #add(cells: Float64Array, column: number, amount: number): void {
    cells[column] = (cells[column] ?? 0) + amount;
    if (column > this.#last) this.#last = column;
  }

  #doubleWidth(): void {
    this.#width *= 2;
    this.#last = Math.floor(this.#last / 2);
    for (const cells of this.#rows.values()) {
      for (let column = 0; column < COLUMNS; column++) {
        cells[column] = column < COLUMNS / 2 ? (cells[2 * column] ?? 0) + (cells[2 * column + 1] ?? 0) : 0;
      }
    }
  }

  #mergeRows(): void {
    this.#perRow *= 2;
    const before = [...this.#rows];
    this.#rows.clear();
    for (const [row, cells] of before) {
      const merged = this.#rows.get(Math.floor(row / 2));
      if (merged === undefined) this.#rows.set(Math.floor(row / 2), cells);
      else for (let column = 0; column < COLUMNS; column++) merged[column] = (merged[column] ?? 0) + (cells[column] ?? 0);
    }
  }
}
