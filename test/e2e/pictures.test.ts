import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { firstPlan } from '../pictures/first-plan.js';
import { scenes } from '../pictures/scenes.js';
import { takePicture } from '../pictures/take.js';
import { PROJECT } from '../support/cli.js';

const README = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const FOLDER = join(PROJECT, '.pictures');
const stored = (name: string) => readFileSync(join(FOLDER, `${name}.svg`), 'utf8');
const all = scenes(firstPlan(README));

/** What must be readable in each. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  question: ['TASK ANALYSIS COMPLETE', 'DECISION: Use', 'WAVE STRUCTURE', 'Ready to execute? (yes/no)'],
  report: ['PARALLEL EXECUTION COMPLETE', 'EXECUTION STATISTICS', 'RESULTS BY WAVE', 'total: 214 files counted'],
  live: ['WAVE 2: Tests of each package', '62% 149 of 240, 2 retried', '8 of 8 agents at work', 'slowest now:'],
  failure: ['RECOMMENDATIONS', '3 failures, by cause', 'connection refused: db-14:5432', 'Logs:'],
  mistakes: ['PLAN-NEEDS', 'PLAN-CYCLE', 'did you mean', '7 errors'],
  'what-if': ['what-if', 'Predicted time', 'the decided count', 'Ready to execute? (yes/no)'],
};

/** The text of a picture, a space between its parts. */
function textOf(svg: string): string {
  const byName: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)]
    .map(([, text = '']) => text.replace(/&[a-z#0-9]+;/g, (entity) => byName[entity] ?? entity))
    .join(' ');
}

describe("the README's pictures", () => {
  it('are the ones that the script takes, each in its place with words for those who do not see it', () => {
    const named = [...README.matchAll(/!\[([^\]]+)\]\(\.pictures\/([a-z-]+)\.svg\)/g)].map(([, , name]) => name);
    expect([...named].sort()).toEqual(all.map(({ name }) => name).sort());
    expect(readdirSync(FOLDER).sort()).toEqual(all.map(({ name }) => `${name}.svg`).sort());
  });

  it.each(all.map(({ name }) => name))(
    '%s shows what it is about, and holds nothing that acts or asks for anything',
    async (name) => {
      const svg = stored(name);
      for (const words of WORDS[name] ?? ['no words are listed']) expect(textOf(svg)).toContain(words);
      expect(svg).not.toMatch(/<script|<foreignObject|<image|<a |href|url\(|\son[a-z]+=/i);
      expect(svg.length).toBeLessThan(200_000);
      expect((await validateXML({ xml: { fileName: 'picture.svg', contents: svg }, schema: ANY_XML })).errors).toEqual([]);
    },
  );

  it('are of the present version: the one without times in it comes out the same', async () => {
    const [scene] = all.filter(({ name }) => name === 'mistakes');
    if (scene === undefined) throw new Error('there is no such scene');
    expect(await takePicture(scene)).toBe(stored('mistakes'));
  });
});

/** Takes every element, so that what is checked is the XML alone. */
const ANY_XML = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:s="http://www.w3.org/2000/svg" targetNamespace="http://www.w3.org/2000/svg">
  <xs:element name="svg"><xs:complexType>
    <xs:sequence><xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    <xs:anyAttribute processContents="skip"/>
  </xs:complexType></xs:element>
</xs:schema>`;
