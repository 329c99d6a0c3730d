import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../model/result.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { copyIndex, exists, type Repository, ScratchIndex } from './repository.js';

/** A copy of the user's index to work on, which replaces the index by one rename. */
export class UserIndex {
  /** The copy. */
  readonly scratch: ScratchIndex;
  readonly #file: string;
  /** A second copy, which no command changes; undefined where there was no index. */
  readonly #kept: string | undefined;
  #stamp: string;

  private constructor(
    file: string,
    parts: { readonly scratch: ScratchIndex; readonly kept: string | undefined; readonly stamp: string },
  ) {
    this.#file = file;
    this.scratch = parts.scratch;
    this.#kept = parts.kept;
    this.#stamp = parts.stamp;
  }

  /** Copies the index of a repository, which may have none yet, into the folder `scratch`. */
  static async copy(repository: Repository, scratch: string): Promise<Result<UserIndex, EnvironmentProblem>> {
    const file = join(repository.gitDir, 'index');
    const kept = join(scratch, 'kept-index');
    try {
      const stamp = await stampOf(file);
      if (stamp !== '') await copyIndex(file, kept);
      const copied = await ScratchIndex.copyOf(repository, scratch);
      return copied.ok
        ? ok(new UserIndex(file, { scratch: copied.value, kept: stamp === '' ? undefined : kept, stamp }))
        : copied;
    } catch (error) {
      return err(systemProblem('copy the git index', error));
    }
  }

  /** Puts the copy in the place of the index. False, and nothing changed, if another process has changed the index. */
  async replace(): Promise<Result<boolean, EnvironmentProblem>> {
    return this.#put(this.scratch.file);
  }

  /** Puts the index back as it was copied, unless another process has changed it since. */
  async putBack(): Promise<Result<never, EnvironmentProblem> | undefined> {
    const put = await this.#put(this.#kept);
    return put.ok ? undefined : err({ message: put.error.message, hint: 'git reset' });
  }

  async #put(source: string | undefined): Promise<Result<boolean, EnvironmentProblem>> {
    const beside = `${this.#file}.waveplan`;
    try {
      if (source !== undefined) await copyIndex(source, beside);
      if ((await stampOf(this.#file)) !== this.#stamp) {
        await rm(beside, { force: true });
        return ok(false);
      }
      if (source === undefined) await rm(this.#file, { force: true });
      else await rename(beside, this.#file);
      this.#stamp = await stampOf(this.#file);
      return ok(true);
    } catch (error) {
      return err(systemProblem('replace the git index', error));
    }
  }
}

/** Differs when a file was written or replaced; empty where there is none. */
async function stampOf(file: string): Promise<string> {
  if (!(await exists(file))) return '';
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
