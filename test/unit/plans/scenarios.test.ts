import { describe, expect, it } from 'vitest';
import { exifDate } from '../../../plans/tasks/rename-media/exif-date.js';
import { categoryOf, NAME, uuidOf } from '../../../plans/tasks/rename-media/names.js';
import { cleanedModule } from '../../../plans/tasks/repo-cleanup/clean-module.js';
import decide from '../../../plans/tasks/repo-cleanup/decide.js';
import inspect from '../../../plans/tasks/repo-cleanup/inspect.js';
import { cleanedText } from '../../../plans/tasks/repo-cleanup/whitespace.js';
import { fakeContext, folderWith } from './fake-context.js';

describe('repo-cleanup', () => {
  const cleaned = (text: string, more: Partial<Parameters<typeof cleanedModule>[1]> = {}) =>
    cleanedModule(text, { file: 'src/a/x.js', instead: {}, unusedExports: [], ...more }).text;

  it('removes imports that nobody uses, and leaves those for effects, defaults and namespaces', () => {
    const text = `import './effects.js';\nimport d from 'd';\nimport * as n from 'n';\nimport { a, b as c } from './ab.js';\nimport { e } from './e.js';\na();\n`;
    expect(cleaned(text)).toBe(
      `import './effects.js';\nimport d from 'd';\nimport * as n from 'n';\nimport { a } from './ab.js';\na();\n`,
    );
    expect(cleaned(`import { a } from './a.js';\n\n/** Text. */\nexport const b = { a: 1 };\n`)).toContain(
      "import { a } from './a.js'",
    );
  });

  it('removes a declaration that nobody takes, and only its export where the module uses it', () => {
    const text = `/** Kept. */\nexport function a() {\n  return b();\n}\n\nexport function b() {\n  return 1;\n}\n\n/** Dead. */\nexport const c = 2;\n`;
    expect(cleaned(text, { unusedExports: ['b', 'c'] })).toBe(
      `/** Kept. */\nexport function a() {\n  return b();\n}\n\nfunction b() {\n  return 1;\n}\n`,
    );
  });

  it('names the file that stays', () => {
    const text = `import { a } from '../b/copy.js';\nexport { z } from './z.js';\nawait import('../b/copy.js');\na();\n`;
    expect(cleaned(text, { instead: { 'src/b/copy.js': 'src/a/orig.js' } })).toBe(
      `import { a } from './orig.js';\nexport { z } from './z.js';\nawait import('./orig.js');\na();\n`,
    );
  });

  it('keeps what is in doubt: imported empty modules, twins that mean different files, entry points and tests', async () => {
    const files = {
      'src/one/twin.js': "export { x } from './x.js';\n",
      'src/two/twin.js': "export { x } from './x.js';\n",
      'src/one/x.js': 'export const x = 1;\n',
      'src/two/x.js': 'export const x = 2;\n',
      'src/blank.js': '\n',
      'src/nothing.js': '',
      'src/index.js': "import './blank.js';\nexport * from './one/twin.js';\nexport const entry = 1;\n",
      'src/used.test.js': "import { x } from './two/twin.js';\nexport const t = x;\n",
      'a.txt': 'same\n',
      'b/a.txt': 'same\n',
    };
    const inspected = [await inspect({ files: Object.keys(files) }, fakeContext(await folderWith(files)))];
    const decided = decide({ inspected });
    expect(decided.remove).toEqual(['b/a.txt', 'src/nothing.js']);
    expect(decided.modules.flatMap(({ unusedExports }) => unusedExports)).toEqual([]);
    expect(decided.tests).toEqual(['src/used.test.js']);
  });

  it('cleans line ends and trailing space, but not in template literals or of Markdown', () => {
    expect(cleanedText('a.js', 'a();  \r\nb(`x  \r\n${1}\t\n`);\t\r\n\n\n')).toBe('a();\nb(`x  \n${1}\t\n`);\n');
    expect(cleanedText('a.md', 'a  \r\nb \n')).toBe('a  \nb \n');
    expect(cleanedText('a.txt', 'a')).toBe('a\n');
  });
});

describe('rename-media', () => {
  it('makes names of the form, the same each time', () => {
    expect(['m/Family (2019)/x', 'm/Räume/x', 'x.jpg', 'm/__/x'].map(categoryOf)).toEqual([
      'family-2019',
      'räume',
      'other',
      'other',
    ]);
    const uuid = uuidOf('media/a/$(x).jpg');
    expect(uuid).toBe(uuidOf('media/a/$(x).jpg'));
    expect(`räume_2019-12-31_${uuid}.jpg`).toMatch(NAME);
    expect('a/räume_2019-12-31_x.jpg').not.toMatch(NAME);
  });

  it('reads no date from what is no Exif, however it is broken', () => {
    for (const bytes of [
      [],
      [0xff, 0xd8],
      [0xff, 0xd8, 0xff, 0xe1, 0, 4],
      [0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 69, 120, 105, 102, 0, 0, 73, 73],
    ]) {
      expect(exifDate(Buffer.from(bytes))).toBeUndefined();
    }
  });
});
