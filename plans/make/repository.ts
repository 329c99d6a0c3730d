import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new folder of files; refuses one that exists. */
export class NewFolder {
  readonly path: string;

  constructor(path: string) {
    if (existsSync(path)) throw new Error(`${path} exists already`);
    this.path = path;
    mkdirSync(path, { recursive: true });
  }

  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Makes the folder a git repository of its own with one commit. */
  commit(message: string): void {
    const git = (...args: readonly string[]) =>
      execFileSync('git', args, { cwd: this.path, stdio: ['ignore', 'ignore', 'inherit'] });
    git('init', '--quiet', '--initial-branch=main');
    // An identity for this repository only: backups are commits, too. Line ends stay as they are.
    git('config', 'user.name', 'playground');
    git('config', 'user.email', 'playground@localhost');
    git('config', 'core.autocrlf', 'false');
    // Nothing tidies up in the background while somebody looks.
    git('config', 'gc.auto', '0');
    git('config', 'maintenance.auto', 'false');
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  }
}
