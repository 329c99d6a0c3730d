/** The number of the sequence that tells of a command's end: an operating system command that no terminal knows, so it shows nothing. */
export const ENDED = 7777;

/**
 * Keeps a terminal open beyond its command's end, until that was told of and answered with a line: of a terminal that nobody
 * has open any more, up to 8 KiB of what was printed last can be lost to its reader. Signals are for the command alone.
 */
const KEEPER = `trap : INT QUIT TERM; "$@"; printf '\\033]${ENDED};%s\\007' $?; read -r told`;

/** The program and arguments that run `command` in a terminal and then keep it open. */
export function keptOpen(command: readonly string[]): readonly [program: string, args: string[]] {
  return ['sh', ['-c', KEEPER, 'sh', ...command]];
}
