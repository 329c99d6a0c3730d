import { type JsonValue, ownJson } from './json.js';

/**
 * A value and its JSON text, each made of the other when it is first asked for. Results mostly go from their subtask into a
 * checkpoint with nobody looking at them: their text is made once, and never parsed.
 */
export class LazyJson {
  #value: JsonValue | undefined;
  #text: string | undefined;

  private constructor(value: JsonValue | undefined, text: string | undefined) {
    this.#value = value;
    this.#text = text;
  }

  static ofValue(value: JsonValue): LazyJson {
    return new LazyJson(value, undefined);
  }

  /** @param text as `JSON.stringify` writes it. */
  static ofText(text: string): LazyJson {
    return new LazyJson(undefined, text);
  }

  get value(): JsonValue {
    if (this.#value === undefined) this.#value = ownJson(this.#text ?? 'null') as JsonValue;
    return this.#value;
  }

  get text(): string {
    this.#text ??= this.#value === null ? 'null' : JSON.stringify(this.#value);
    return this.#text;
  }
}

/** Of what has none. */
export const NO_RESULTS = LazyJson.ofValue(null);
