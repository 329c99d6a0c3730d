import { linkSync, readFileSync, unlinkSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { err, ok, type Result } from '../model/result.js';
import { lockFile, newHolder, writtenFile } from './lock.js';
import { type EnvironmentProblem, systemProblem } from './problem.js';

/**
 * A state folder's lock that one process takes and releases many times. What stands in it is written, and synced, once: to take
 * it is one call of the system, a link, and takes microseconds. It is the lock that `acquireLock` knows, for everybody else.
 */
export class LockAgain {
  readonly #file: string;
  readonly #written: string;
  readonly #id: string;

  private constructor(file: string, written: string, id: string) {
    this.#file = file;
    this.#written = written;
    this.#id = id;
  }

  /** `purpose` is what others are told while it is taken; `now` is in milliseconds since the epoch. */
  static async prepare(
    stateDir: string,
    options: { readonly purpose: string; readonly now: number },
  ): Promise<Result<LockAgain, EnvironmentProblem>> {
    const holder = await newHolder(options);
    const written = writtenFile(stateDir, holder.id);
    try {
      await writeFile(written, `${JSON.stringify(holder)}\n`, { flag: 'wx', flush: true });
      return ok(new LockAgain(lockFile(stateDir), written, holder.id));
    } catch (error) {
      return err(systemProblem(`lock the state folder ${stateDir}`, error));
    }
  }

  /** false: somebody has it or left it behind, or the file system has no links. `acquireLock` tells which, and does without. */
  take(): boolean {
    try {
      linkSync(this.#written, this.#file);
      return true;
    } catch {
      return false;
    }
  }

  /** Releases the lock if it is still this one. */
  release(): void {
    try {
      if (readFileSync(this.#file, 'utf8').includes(`"id":"${this.#id}"`)) unlinkSync(this.#file);
    } catch {
      // What stays behind is broken by whoever comes next.
    }
  }

  /** It is not taken any more. */
  async discard(): Promise<void> {
    await rm(this.#written, { force: true }).catch(() => undefined);
  }
}
