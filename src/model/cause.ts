import type { Failure } from './failure.js';

/** Identifies a cause: two failures have the same one if kind, exit code, signal and message are equal. */
export function causeOf({ kind, message, exitCode, signal }: Failure): string {
  return JSON.stringify([kind, exitCode ?? null, signal ?? null, message]);
}

/** A number that mostly names an item, a port or a process. Exit codes, HTTP statuses and compilers' codes name the cause. */
const NUMBER = /(?<!\d|\b(?:[Cc]ode|[Ss]tatus|errno|HTTP|[Ee]rror)[ :=[]{1,2}[A-Z]{0,4})\d+/g;

/** A message with `N` for each such number: the text that messages have in common which differ in nothing else. */
export function withoutNumbers(message: string): string {
  return message.replace(NUMBER, 'N');
}
