import type { Failure } from '../model/failure.js';

/** What the system answers when there are too many processes or open files, or too little memory, for one more. */
const REFUSALS = /\b(EAGAIN|EMFILE|ENFILE|ENOMEM)\b/;

/** What shells say of it in the middle of a command. */
const IN_A_COMMAND = /: cannot fork$|fork: (retry|resource temporarily unavailable|cannot allocate memory)/i;

/** Whether a subtask failed for want of room, and not by what it does: with fewer agents it may well run. */
export function isForWantOfRoom({ kind, message }: Failure): boolean {
  return kind === 'spawn' ? REFUSALS.test(message) : kind === 'command' && IN_A_COMMAND.test(message);
}
