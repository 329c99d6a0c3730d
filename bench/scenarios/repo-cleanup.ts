import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { differences, filesOf } from './files.ts';
import { type Check, makeInput, none, output, restore, runPlan, type ScenarioOptions, type ScenarioOutcome } from './scenario.ts';

/** What the maker of the repository says that it messed up. */
interface Planted {
  readonly duplicates: readonly string[];
  readonly empty: readonly string[];
  readonly unusedImports: readonly { readonly file: string; readonly name: string }[];
  readonly unusedExports: readonly { readonly file: string; readonly name: string }[];
}

/** The first scenario: a repository is cleaned by 50 agents. `size` is its number of modules. */
export async function repoCleanup({ folder, size, seed }: ScenarioOptions): Promise<ScenarioOutcome> {
  const [parallel, alone] = [join(folder, 'parallel'), join(folder, 'alone')];
  await makeInput('make/messy-repository.ts', [parallel, '--modules', String(size), '--seed', String(seed)]);
  cpSync(parallel, alone, { recursive: true, preserveTimestamps: true });
  const before = filesOf(parallel);
  const planted: Planted = JSON.parse(readFileSync(`${parallel}.planted.json`, 'utf8'));
  const done = await runPlan('repo-cleanup.yaml', parallel);
  const after = filesOf(parallel);
  const checks = checksOf(before, after, planted);
  const tests = await output([process.execPath, '--test', '--test-reporter=tap', 'test/'], parallel).catch((error) =>
    String(error),
  );
  const sequential = await runPlan('repo-cleanup.yaml', alone, ['--agents', '1']);
  const afterAlone = filesOf(alone);
  await restore(parallel);
  return {
    name: 'repo-cleanup',
    asked: 'Execute the task of cleaning up this repo using 50 parallel agents',
    size: `${size} modules, ${before.size} files`,
    ...done,
    sequential: { seconds: sequential.actualSeconds, how: 'measured with 1 agent' },
    checks: [
      ...checks,
      none(
        "the repository's own tests pass, all of them",
        /^# fail 0$/m.test(tests) && !/^# pass 0$/m.test(tests) ? [] : [tests.slice(-500)],
      ),
      none('one agent leaves the very same files', differences(after, afterAlone)),
      none('restore brings every file back', differences(before, filesOf(parallel))),
    ],
    notes: [
      `${planted.duplicates.length} duplicates, ${planted.empty.length} empty files, ${planted.unusedExports.length} unused exports and ${planted.unusedImports.length} unused imports were planted`,
    ],
  };
}

function checksOf(before: ReadonlyMap<string, Buffer>, after: ReadonlyMap<string, Buffer>, planted: Planted): readonly Check[] {
  const gone = [...before.keys()].filter((path) => !after.has(path)).sort();
  const wanted = [...planted.duplicates, ...planted.empty].sort();
  const text = (path: string) => after.get(path)?.toString('utf8') ?? '';
  const still = (places: Planted['unusedImports']) =>
    places.filter(({ file, name }) => new RegExp(`\\b${name}\\b`).test(text(file))).map(({ file, name }) => `${file}: ${name}`);
  const untidy = [...after].filter(
    ([path, bytes]) => !path.endsWith('.md') && path !== 'src/text/banner.js' && /[ \t\r]$|\r/m.test(bytes.toString('utf8')),
  );
  return [
    none('what was planted as duplicate or empty is gone, and nothing else', [
      ...gone.filter((path) => !wanted.includes(path)),
      ...wanted.filter((path) => !gone.includes(path)),
    ]),
    none('no unused import is left', still(planted.unusedImports)),
    none('no unused export is left', still(planted.unusedExports)),
    none(
      'no line ends in white space or CR',
      untidy.map(([path]) => path),
    ),
  ];
}
