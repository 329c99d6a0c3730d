import { counted } from '../../report/figures.js';
import { LEFT_OUT, type Survey } from './survey.js';

/** A plan that would be of use in a folder. */
export interface Offer {
  readonly name: string;
  /** What it does there, in one line. */
  readonly why: string;
  /** The plan's text, with comments that teach. */
  readonly text: string;
}

/** Scripts that check and end by themselves, in the order in which people like to hear of failures. */
const CHECKS =
  /^(lint|eslint|biome|format:check|check:format|fmt:check|typecheck|type-check|types|tsc|check|test|test:unit|build)$/;
/** What npm writes for a package without tests. */
const NO_TESTS = /no test specified/;

/** From here on it pays to split work by file. */
const FEW_FILES = 3;

/** The plans that fit a folder, the best first; the last one runs anywhere. */
export function offersFor(survey: Survey): readonly Offer[] {
  const offers = [checks(survey), tests(survey), media(survey), texts(survey)].filter((offer) => offer !== undefined);
  return [...offers, greetings()];
}

function checks({ scripts, packageManager, git }: Survey): Offer | undefined {
  const names = Object.entries(scripts)
    .filter(([name, command]) => CHECKS.test(name) && !NO_TESTS.test(command))
    .map(([name]) => name);
  if (names.length === 0) return undefined;
  const run = (name: string) => JSON.stringify([packageManager, 'run', ...(packageManager === 'yarn' ? [] : ['--silent']), name]);
  const ids = names.map(taskName);
  const tasks = names.map((name, i) => `  ${ids[i]}:\n    phase: Checks\n    run: ${run(name)}\n    timeout: 30m`);
  return {
    name: 'checks',
    why: `runs ${names.join(', ')} of package.json at once, instead of one after another`,
    text: `version: 1
name: checks
description: Run the checks of this package side by side
${git ? 'backup: ref # the files as they were are kept; waveplan restore brings them back' : 'backup: none # no git repository: a run cannot be undone'}
env: { CI: "true" } # most tools end by themselves then, and ask nothing
tasks:
${tasks.join('\n')}
  all-good:
    phase: Verdict
    needs: [${ids.join(', ')}]
    run: [echo, ${JSON.stringify(`all ${names.length} checks passed`)}]
`,
  };
}

function tests({ tests: found }: Survey): Offer | undefined {
  if (found === undefined || found.files < FEW_FILES) return undefined;
  const { command, pattern, files } = found;
  return {
    name: 'tests',
    why: `runs ${counted(files, 'test file')} side by side with ${command.join(' ')}, each tried again once if it fails`,
    text: `version: 1
name: tests
description: Run every test file by itself, so that a flaky one is found and tried again
backup: none # tests change nothing
type: computation
env: { CI: "true" }
tasks:
  find:
    phase: Analysis
    run: ${JSON.stringify(findCommand(pattern))}
    output: lines # the result's stdout is a list
  test:
    phase: Tests
    needs: [find]
    foreach: "\${{ tasks.find.results.stdout }}" # one subtask for each file
    run: [${command.map((part) => JSON.stringify(part)).join(', ')}, "\${{ item }}"] # a list is a program and its arguments, without a shell
    retries: { max: 1 }
    timeout: 10m
`,
  };
}

function media({ images, otherMedia }: Survey): Offer | undefined {
  const count = images + otherMedia;
  if (count < FEW_FILES) return undefined;
  const kinds = [
    'jpg',
    'jpeg',
    'png',
    'gif',
    'webp',
    'avif',
    'heic',
    'tif',
    'tiff',
    'svg',
    'mp3',
    'flac',
    'wav',
    'm4a',
    'mp4',
    'mov',
    'mkv',
    'webm',
  ];
  return {
    name: 'media',
    why: `reads ${counted(count, 'image, sound or film', 'images, sounds and films')} through and keeps the checksums; it changes nothing`,
    text: `version: 1
name: media
description: Read every media file through, and keep its checksum in the checkpoints
backup: none # it reads only
type: file_operations
tasks:
  find:
    phase: Analysis
    run: ${JSON.stringify(findCommand(kinds.map((kind) => `*.${kind}`)))}
    output: lines # the result's stdout is a list
  checksum:
    phase: Checksums
    needs: [find]
    foreach: "\${{ tasks.find.results.stdout }}" # one subtask for each file
    run: cksum < "$ITEM" # the item arrives as a variable, never as text in the command
  sum-up:
    phase: Summary
    needs: [checksum]
    run: [echo, "\${{ size(tasks.checksum.results) }} files read through"] # \${{ … }} is an expression over earlier results
`,
  };
}

function texts({ texts: count, files, git }: Survey): Offer | undefined {
  if (count < FEW_FILES) return undefined;
  return {
    name: 'count',
    why: `counts the lines of ${counted(files, 'file')}; it changes nothing, and shows a fan-out over what an earlier task found`,
    text: `version: 1
name: count
description: Count the lines of every file
backup: none # it reads only
type: file_operations
tasks:
  list:
    phase: Analysis
    run: ${git ? 'git ls-files --cached --others --exclude-standard' : JSON.stringify(findCommand([]))}
    output: lines # the result's stdout is a list
  count:
    phase: Counting
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}" # one subtask for each file
    run: '[ ! -f "$ITEM" ] || wc -l < "$ITEM"' # the item arrives as a variable, never as text in the command
  total:
    phase: Summary
    needs: [count]
    run: [echo, "\${{ size(tasks.count.results) }} files counted"]
`,
  };
}

function greetings(): Offer {
  return {
    name: 'hello',
    why: 'greets three people at once; a start for a plan of your own',
    text: `version: 1
name: hello
description: Greet everybody at once
backup: none # nothing is changed
params:
  greeting: { type: string, default: Hello } # another one: --param greeting=Welcome
tasks:
  greet:
    phase: Greetings
    foreach: [Ada, Grace, Edsger] # one subtask for each
    run: echo "$PARAM_greeting, $ITEM" # items and parameters arrive as variables, never as text in the command
  sum-up:
    phase: Summary
    needs: [greet]
    run: [echo, "\${{ size(tasks.greet.results) }} greeted"]
`,
  };
}

/** Lists files by name, and not what is in folders of dependencies and results. */
function findCommand(names: readonly string[]): string {
  const out = LEFT_OUT.map((name) => `-name ${name}`).join(' -o ');
  const wanted = names.length === 0 ? '' : ` \\( ${names.map((name) => `-iname '${name}'`).join(' -o ')} \\)`;
  return `find . -type d \\( ${out} \\) -prune -o -type f${wanted} -print`;
}

/** The name of a script as a task's: names of tasks hold no colons. */
function taskName(script: string): string {
  return script.replace(/[^A-Za-z0-9._-]/g, '-');
}
