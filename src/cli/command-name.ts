/** What starts this command again: `npx waveplan` where npx started it, since nothing else may find it. */
export function commandName(): string {
  return process.env['npm_command'] === 'exec' ? 'npx waveplan' : 'waveplan';
}
