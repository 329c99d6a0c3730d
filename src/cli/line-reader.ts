import { createInterface } from 'node:readline/promises';

/** Lines that a person types in a terminal. */
export interface LineReader {
  /** The next line; `undefined` at the end of the input and at Ctrl-C. */
  readonly ask: (question: string) => Promise<string | undefined>;
  readonly close: () => void;
}

/** Reads lines from a terminal; `complete` gives what the Tab key offers for a line. */
export function openLineReader(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  complete: (line: string) => readonly string[] = () => [],
): LineReader {
  const completer = (line: string): [string[], string] => [[...complete(line)], line];
  const terminal = createInterface({ input, output, terminal: true, completer });
  const closed = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  // Lines may come faster than they are asked for, from somebody who types ahead.
  const waiting: string[] = [];
  let wake: ((line: string) => void) | undefined;
  terminal.on('line', (line) => {
    if (wake === undefined) waiting.push(line);
    else wake(line);
    wake = undefined;
  });
  terminal.on('SIGINT', () => terminal.close());
  return {
    ask: async (question) => {
      terminal.setPrompt(question);
      const early = waiting.shift();
      if (early !== undefined) {
        output.write(`${question}${early}\n`);
        return early;
      }
      terminal.prompt();
      const next = new Promise<string>((resolve) => {
        wake = resolve;
      });
      const line = await Promise.race([next, closed]);
      if (line === undefined) output.write('\n');
      return line;
    },
    close: () => terminal.close(),
  };
}
