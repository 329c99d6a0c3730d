import { Buffer } from 'node:buffer';
import path from 'node:path';
import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import analyse, { factsOf } from '../../../plans/tasks/quickstart/analyse.ts';
import { exportedNames } from '../../../plans/tasks/quickstart/exported-names.ts';
import type { FileFacts } from '../../../plans/tasks/quickstart/facts.ts';
import inventory, { mismatches } from '../../../plans/tasks/quickstart/inventory.ts';
import recount, { differencesOf } from '../../../plans/tasks/quickstart/recount.ts';
import scan, { groupsOf, packageOf } from '../../../plans/tasks/quickstart/scan.ts';
import summarise, { packagesOf } from '../../../plans/tasks/quickstart/summarise.ts';
import { countWords } from '../../../plans/tasks/quickstart/words.ts';
import { fakeContext, folderWith } from './fake-context.ts';

const SAMPLE = `
/** Documented. @deprecated use any other */
export declare function old(value: any): any[];
export interface Box { any(): void; 'any': string }
export declare const a: number, b: any;
declare class Hidden {}
/** Also documented. */
export { Hidden as Shown };
export type Name = \`any \${any extends string ? 'any' : "b"} any\`; // any
export {};
`;

const facts = (text: string, file = 'node_modules/p/a.d.ts', of = 'p'): FileFacts =>
  factsOf({ path: file, package: of, bytes: Buffer.byteLength(text) }, text);

describe('exported names', () => {
  const namesOf = (text: string) =>
    Object.fromEntries(
      [...exportedNames(ts.createSourceFile('a.d.ts', text, ts.ScriptTarget.Latest, true))].map(([name, { kind }]) => [
        name,
        kind,
      ]),
    );

  it('are those with the modifier or in an export statement, when the file has one', () => {
    expect(namesOf(SAMPLE)).toEqual({
      old: 'function',
      Box: 'interface',
      a: 'variable',
      b: 'variable',
      Hidden: 'class',
      Name: 'type',
    });
  });

  it('are all declarations of a declaration module without export statements, and of a global script', () => {
    expect(namesOf('export interface A {}\ntype B = A;')).toEqual({ A: 'interface', B: 'type' });
    expect(namesOf('interface A {}\ndeclare enum B {}')).toEqual({ A: 'interface', B: 'enum' });
  });

  it('include what is in namespaces and ambient modules', () => {
    expect(
      namesOf("declare module 'm' { function f(): void; namespace N { class C {} } }\ndeclare namespace P.Q { type T = 1 }"),
    ).toEqual({
      f: 'function',
      N: 'namespace',
      'N.C': 'class',
      P: 'namespace',
      'P.Q': 'namespace',
      'P.Q.T': 'type',
    });
    expect(namesOf('export {};\ndeclare global { var g: 1 }')).toEqual({ g: 'variable' });
  });

  it('count once when declarations merge, documented when one of them is', () => {
    const source = ts.createSourceFile('a.d.ts', 'interface A {}\n/** Doc. */\ndeclare var A: A;', ts.ScriptTarget.Latest, true);
    expect([...exportedNames(source)]).toEqual([['A', { kind: 'interface', documented: true, deprecated: false }]]);
  });

  it('do not include names that another module exports through this one', () => {
    expect(namesOf("export { a as b } from './a.js';\nexport * from './c.js';\ndeclare const a: 1;")).toEqual({});
  });
});

describe('facts of a file', () => {
  it('states what the parser sees', () => {
    expect(facts(SAMPLE)).toMatchObject({
      bytes: SAMPLE.length,
      lines: 11,
      anyTypes: 4,
      anyNames: 1,
      exportWords: 6,
      exported: { function: 1, interface: 1, variable: 2, class: 1, type: 1 },
      documented: 1,
      deprecated: 1,
    });
  });
});

describe('countWords', () => {
  it.each([
    ['any any2 #any $any any', 2],
    ['// any\n/* any\nany */ any', 1],
    [`'any' "any" '\\'any' any`, 1],
    [`\`any \${any} any \${{ a: any }} any\` any`, 3],
    [`\`\${\`any \${any}\`} any\` any`, 2],
    [`\`\\\${any}\` \`$any\` \`any`, 0],
    ["'unterminated any\nany", 2],
  ])('%s', (text, expected) => {
    expect(countWords(text, ['any'])).toEqual([expected]);
  });

  it('agrees with the parser on any mix of declarations', () => {
    const declaration = fc.constantFrom(
      'export type A = any;',
      'type B = { any: any; export(any: string): any };',
      "export declare const c: 'any' | \"it's any\";",
      '/* any */ declare function d(a: any /* , export */): asserts a is any; // export any',
      `type E<any> = \`any \${any extends string ? \`\${any}any\` : \`}\`} any\`;`,
      "export * as any from 'any';",
      'export { any as export };',
      'declare class F { #any: any; static any<T = any>(): any }',
      'export = any;',
      'export as namespace any;',
      '/** `any` {@link any} */',
    );
    fc.assert(
      fc.property(fc.array(declaration), fc.constantFrom('\n', '\r\n', ' /**/ '), (parts, separator) => {
        const text = parts.map((part) => (part.includes('//') ? `${part}\n` : part)).join(separator);
        expect(differencesOf(facts(text), Buffer.from(text))).toEqual([]);
      }),
    );
  });
});

describe('recount', () => {
  it('passes what was analysed, and fails where any figure was tampered with', async () => {
    const folder = await folderWith({ 'node_modules/p/a.d.ts': SAMPLE });
    const { files } = await analyse(
      { files: [{ path: 'node_modules/p/a.d.ts', package: 'p', bytes: SAMPLE.length }] },
      fakeContext(folder),
    );
    expect(await recount({ files }, fakeContext(folder))).toEqual({ files: 1 });

    for (const figure of ['bytes', 'lines', 'anyTypes', 'anyNames', 'exportWords'] as const) {
      const tampered = files.map((file) => ({ ...file, [figure]: file[figure] + 1 }));
      await expect(recount({ files: tampered }, fakeContext(folder)), figure).rejects.toThrow('node_modules/p/a.d.ts');
    }
  });
});

describe('inventory', () => {
  it('names files that were missed, counted twice, or are not there', () => {
    expect(mismatches(['a', 'b'], ['a', 'b'])).toEqual([]);
    expect(mismatches(['a', 'b'], ['a', 'a', 'c'])).toEqual(['a: analysed twice', 'c: analysed, not on disk', 'b: not analysed']);
  });

  it('lists the same files as the scan, and fails when one of them is gone from the analysis', async () => {
    const root = 'node_modules';
    const folder = await folderWith({
      'node_modules/a/index.d.ts': '',
      'node_modules/a/index.ts': '',
      'node_modules/a/node_modules/@b/c/lib/x.d.mts': 'x',
      'node_modules/a/d.ts': '',
      'other/index.d.ts': '',
    });
    const { groups, summary } = await scan({ root }, fakeContext(folder));
    expect(groups.flat().map((file) => file.package)).toEqual(['@b/c', 'a']);
    expect(summary).toEqual([
      'Found 2 declaration files of 2 packages; made 1 groups',
      'Largest file: node_modules/a/node_modules/@b/c/lib/x.d.mts, 100% of 0.0 MB',
    ]);

    const analyses = [await analyse({ files: groups.flat() }, fakeContext(folder))];
    expect(await inventory({ root, analyses }, fakeContext(folder))).toMatchObject({ files: 2 });
    const short = analyses.map(({ files }) => ({ files: files.slice(1) }));
    await expect(inventory({ root, analyses: short }, fakeContext(folder))).rejects.toThrow('x.d.mts: not analysed');
  });
});

describe('scan', () => {
  it('says what to do when nothing is installed', async () => {
    await expect(scan({ root: 'node_modules' }, fakeContext(await folderWith({})))).rejects.toThrow('run "npm ci" first');
  });

  it('deals every file into one group; only a single file may be above the size', () => {
    const file = fc.record({ path: fc.uuid(), package: fc.constant('p'), bytes: fc.nat(100_000) });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (one) => one.path }), (files) => {
        const groups = groupsOf(files);
        expect(
          groups
            .flat()
            .map((one) => one.path)
            .sort(),
        ).toEqual(files.map((one) => one.path).sort());
        for (const group of groups) {
          expect(group.length).toBeGreaterThan(0);
          if (group.length > 1) expect(group.reduce((sum, one) => sum + one.bytes, 0)).toBeLessThanOrEqual(48 * 1024);
        }
      }),
    );
  });

  it.each([
    ['node_modules/a/x.d.ts', 'a'],
    ['node_modules/@a/b/lib/x.d.ts', '@a/b'],
    ['vendor/node_modules/a/node_modules/c/x.d.ts', 'c'],
    ['types/x.d.ts', 'types'],
  ])('the package of %s is %s', (file, expected) => {
    expect(packageOf(file.split('/').join(path.sep))).toBe(expected);
  });
});

describe('summarise', () => {
  const files = [
    facts(SAMPLE),
    facts(SAMPLE, 'node_modules/p/copy.d.ts'),
    facts('export type T = any;', 'node_modules/q/a.d.ts', 'q'),
  ];

  it('adds up by package, and copies once', () => {
    expect(packagesOf(files)).toEqual([
      {
        name: 'p',
        files: 2,
        copies: 1,
        bytes: 2 * SAMPLE.length,
        lines: 11,
        anyTypes: 4,
        exported: 6,
        documented: 1,
        deprecated: 1,
      },
      { name: 'q', files: 1, copies: 0, bytes: 20, lines: 1, anyTypes: 1, exported: 1, documented: 0, deprecated: 0 },
    ]);
  });

  it('words the findings, with the number of files that were counted again', () => {
    const { summary } = summarise({ analyses: [{ files }], recounts: [{ files: 2 }, { files: 1 }] });
    expect(summary).toContain('2 packages, 12 lines, 7 exported names');
    expect(summary).toContain('Largest API: p (6), q (1)');
    expect(summary).toContain('Two methods agree on 3 of 3 files');
  });
});
