/** What a subtask's results hang on, each as a hash of its own, so that it can be said what changed. */
export interface FingerprintParts {
  /** The task's definition: command or module's name, `with`, `env`, params that it sees. */
  readonly definition: string;
  /** The module's file and the files that it imports by relative paths; '' for a command. */
  readonly module: string;
  /** Variables of the environment that it names. */
  readonly env: string;
  /** Results of other tasks that it reads. */
  readonly results: string;
  /** Of the input files, names and contents. */
  readonly files: string;
  /** The same file by file, where they are few enough to be kept; for words only. */
  readonly fileHashes?: Readonly<Record<string, string>>;
}

/** Files that are kept by name: beyond, a list would be as long as the tree. */
export const MOST_NAMED_FILES = 200;

/** Why `now` is not what `before` was, in words that follow "it runs: "; undefined where they are equal. */
export function changeText(before: FingerprintParts, now: FingerprintParts): string | undefined {
  const changes: string[] = [];
  if (before.definition !== now.definition) changes.push('its definition changed, or a param that it sees');
  if (before.module !== now.module) changes.push('its module changed, or a file that the module imports');
  if (before.env !== now.env) changes.push('a variable of the environment that it names changed');
  if (before.results !== now.results) changes.push('results that it reads changed');
  if (before.files !== now.files) changes.push(filesText(before.fileHashes, now.fileHashes));
  return changes.length === 0 ? undefined : changes.join('; ');
}

const MOST_TOLD = 3;

function filesText(
  before: Readonly<Record<string, string>> | undefined,
  now: Readonly<Record<string, string>> | undefined,
): string {
  if (before === undefined || now === undefined) return 'its input files changed';
  const changed: string[] = [];
  for (const [file, hash] of Object.entries(now)) {
    const earlier = Object.hasOwn(before, file) ? before[file] : undefined;
    if (earlier === undefined || (earlier === MISSING && hash !== MISSING)) changed.push(`${file} is new`);
    else if (hash === MISSING && earlier !== MISSING) changed.push(`${file} is gone`);
    else if (earlier !== hash) changed.push(`${file} changed`);
  }
  for (const file of Object.keys(before)) if (!Object.hasOwn(now, file)) changed.push(`${file} is gone`);
  const more = changed.length - MOST_TOLD;
  return [...changed.slice(0, MOST_TOLD), ...(more > 0 ? [`${more} more of its input files changed`] : [])].join(', ');
}

/** In the place of a hash, for a path at which there is no file. */
export const MISSING = 'missing';
