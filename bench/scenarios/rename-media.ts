import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { differences, filesOf } from './files.ts';
import { check, makeInput, none, output, restore, runPlan, type ScenarioOptions, type ScenarioOutcome } from './scenario.ts';

const NAME = /^media\/[^/]+\/[^_/]+_\d{4}-\d{2}-\d{2}_[0-9a-f-]{36}\.jpg$/;

/** The second scenario: images are renamed. `size` is how many. */
export async function renameMedia({ folder, size, seed }: ScenarioOptions): Promise<ScenarioOutcome> {
  const [parallel, alone] = [join(folder, 'parallel'), join(folder, 'alone')];
  await makeInput('make/media.ts', [parallel, '--count', String(size), '--seed', String(seed)]);
  cpSync(parallel, alone, { recursive: true, preserveTimestamps: true });
  const before = filesOf(parallel);
  const done = await runPlan('rename-media.yaml', parallel);
  const after = filesOf(parallel);
  const images = [...after.keys()].filter((path) => path !== 'README.md');
  const sequential = await runPlan('rename-media.yaml', alone, ['--agents', '1']);
  const afterAlone = filesOf(alone);
  const again = await runPlan('rename-media.yaml', alone);
  const afterAgain = filesOf(alone);
  await restore(parallel);
  return {
    name: 'rename-media',
    asked:
      'Execute this task dynamically with auto-scaled parallel instances: Rename all 10,000 image files in the media/ folder to follow new naming convention: [category]_[date]_[uuid].jpg',
    size: `${size} images`,
    ...done,
    sequential: { seconds: sequential.actualSeconds, how: 'measured with 1 agent' },
    checks: [
      check(`there are ${size} images, as before`, images.length === size, `${images.length}`),
      none(
        'every image has a name of the form',
        images.filter((path) => !NAME.test(path)),
      ),
      none('every image is there once, byte for byte, in the folder it was in', missing(before, after)),
      none('one agent gives the very same names', differences(after, afterAlone)),
      none('a second run changes nothing', differences(afterAlone, afterAgain)),
      none('restore brings every name back', differences(before, filesOf(parallel))),
      none('git agrees', lines(await output(['git', 'status', '--porcelain'], parallel))),
    ],
    notes: [`a second run, with nothing to do: ${again.actualSeconds.toFixed(2)} s`],
  };
}

/** Contents, with their folder, that are not as often there as before. */
function missing(before: ReadonlyMap<string, Buffer>, after: ReadonlyMap<string, Buffer>): readonly string[] {
  const counted = new Map<string, number>();
  const count = (files: ReadonlyMap<string, Buffer>, by: number) => {
    for (const [path, bytes] of files) {
      const key = `${path.slice(0, path.lastIndexOf('/'))} ${createHash('sha256').update(bytes).digest('hex')}`;
      counted.set(key, (counted.get(key) ?? 0) + by);
    }
  };
  count(before, 1);
  count(after, -1);
  return [...counted].filter(([, difference]) => difference !== 0).map(([key]) => key);
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
