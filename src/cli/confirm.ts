import { openLineReader } from './line-reader.js';

/** The question under the analysis. */
export const QUESTION = 'Ready to execute? (yes/no) ';

const YES = new Set(['y', 'yes', 'proceed', 'ok', 'go']);
const NO = new Set(['n', 'no', 'q', 'quit', 'cancel']);

/** What a line typed at the question means. */
export function readAnswer(line: string): 'yes' | 'no' | 'unclear' {
  const word = line.trim().toLowerCase();
  if (YES.has(word)) return 'yes';
  return NO.has(word) ? 'no' : 'unclear';
}

/** Asks until the answer is clear. The end of the input and Ctrl-C are a no. */
export async function confirm(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<boolean> {
  const reader = openLineReader(input, output);
  try {
    for (;;) {
      const line = await reader.ask(QUESTION);
      if (line === undefined) return false;
      const answer = readAnswer(line);
      if (answer !== 'unclear') return answer === 'yes';
      output.write("Please answer 'yes' to run the plan or 'no' to leave everything as it is.\n");
    }
  } finally {
    reader.close();
  }
}
