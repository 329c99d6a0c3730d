import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WaveOutline } from '../../../src/model/run-event.js';
import { renderDot } from '../../../src/report/graph/dot.js';
import { type GraphView, graphEdges, graphView } from '../../../src/report/graph/graph-view.js';
import { renderMermaid } from '../../../src/report/graph/mermaid.js';
import { renderGraphSvg } from '../../../src/report/graph/svg.js';
import { nastyText } from './builders.js';

function outline(
  waves: readonly (readonly (readonly [string, readonly string[]])[])[],
  name = (n: number) => `Phase ${n}`,
): readonly WaveOutline[] {
  return waves.map((tasks, i) => ({
    number: i + 1,
    name: name(i + 1),
    tasks: tasks.map(([id, needs]) => ({ id, needs, phase: undefined, fanOut: false, subtasks: 1, work: 'true' })),
  }));
}

const DIAMOND = outline([
  [['a', []]],
  [
    ['b', ['a']],
    ['c', ['a']],
  ],
  [['d', ['b', 'c']]],
]);

function view(times: Readonly<Record<string, number>>): GraphView {
  return graphView('plan', DIAMOND, 'measured', (id) => ({ durationMs: times[id] }));
}

describe('the critical path', () => {
  it('goes by time where all times are known, and each of its steps is marked', () => {
    const drawn = view({ a: 1, b: 5, c: 3, d: 2 });
    expect([...drawn.critical]).toEqual(['d', 'b', 'a']);
    expect(drawn).toMatchObject({ criticalBy: 'measured time', criticalMs: 8 });
    expect(graphEdges(drawn).filter(({ critical }) => critical)).toEqual([
      { from: 'a', to: 'b', critical: true },
      { from: 'b', to: 'd', critical: true },
    ]);
  });

  it('goes by the number of tasks where a time is missing, and says so', () => {
    expect(view({ a: 1, b: 5, d: 2 })).toMatchObject({ criticalBy: 'number of tasks', criticalMs: undefined });
  });

  it('is never shorter than any path', () => {
    const graph = fc.array(fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.boolean()), (times, coins) => {
        const coin = coins[Symbol.iterator]();
        const ids = times.map((wave, w) => wave.map((_, t) => `t${w}-${t}`));
        const waves = ids.map((wave, w) =>
          wave.map((id): [string, string[]] => [
            id,
            w === 0 ? [] : (ids[w - 1] ?? []).filter((_, i) => i === 0 || coin.next().value === true),
          ]),
        );
        const timeOf = new Map(ids.flatMap((wave, w) => wave.map((id, t): [string, number] => [id, times[w]?.[t] ?? 0])));
        const drawn = graphView('p', outline(waves), 'measured', (id) => ({ durationMs: timeOf.get(id) }));
        const needsOf = new Map(waves.flat());
        const longest = (id: string): number => (timeOf.get(id) ?? 0) + Math.max(0, ...(needsOf.get(id) ?? []).map(longest));
        expect(drawn.criticalMs).toBe(Math.max(...[...timeOf.keys()].map(longest)));
        expect([...drawn.critical].reduce((sum, id) => sum + (timeOf.get(id) ?? 0), 0)).toBe(drawn.criticalMs);
      }),
    );
  });
});

describe('hostile names', () => {
  const nasty = fc.array(nastyText, { minLength: 1, maxLength: 4 });

  it('stay one string in DOT, and text in SVG', async () => {
    const texts = [
      'a"]; evil [label="x',
      '\\',
      'a\\',
      '<b>bold</b>',
      '&lt;&amp;',
      '日本語',
      '{rank|record}',
      '\\N \\G',
      ']]>',
      '</svg><script>x</script>',
    ];
    const waves = outline([texts.map((text) => [text, []])], () => '"]; evil2 -> evil3; //');
    const drawn = graphView('"]; evil4', waves, 'measured', () => ({ durationMs: 1 }));
    const string = '"(?:[^"\\\\\\n]|\\\\.)*"';
    const attributes = `\\[[a-z]+=(?:${string}|[A-Za-z0-9.]+)(?:, [a-z]+=(?:${string}|[A-Za-z0-9.]+))*\\]`;
    const statement = `(?:digraph ${string} \\{|subgraph cluster_wave\\d+ \\{|\\}|(?:graph|node|edge|t\\d+) ${attributes};|t\\d+ -> t\\d+(?: ${attributes})?;|\\{ rank=same; (?:t\\d+; )+\\})`;
    for (const line of renderDot(drawn).trimEnd().split('\n')) expect(line).toMatch(new RegExp(`^\\s*${statement}$`));
    const svg = await renderGraphSvg(drawn);
    expect([...svg.matchAll(/class="task"/g)]).toHaveLength(texts.length);
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;b&gt;bold&lt;/b&gt;');
  });

  it('lay out whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(nasty, async (texts) => {
        const waves = outline([[...new Set(texts)].map((text) => [text, []])], () => texts[0] ?? '');
        const svg = await renderGraphSvg(graphView('p', waves, 'measured', () => ({ durationMs: 1 })));
        expect([...svg.matchAll(/class="task"/g)]).toHaveLength(new Set(texts).size);
      }),
      { numRuns: 40 },
    );
  });

  it('are quoted in Mermaid: nothing but letters, digits and plain punctuation stands between quotes', () => {
    fc.assert(
      fc.property(nasty, (texts) => {
        const waves = outline([[...new Set(texts)].map((text) => [text, []])], () => texts[0] ?? '');
        const drawn = renderMermaid(graphView(texts[0] ?? '', waves, 'measured', () => ({ durationMs: 1 })));
        for (const line of drawn.trimEnd().split('\n')) {
          expect(line).toMatch(
            /^(flowchart LR|\s+%% [^\n{}%]*|\s+subgraph w\d+\["[^"<>`]*"\]|\s+t\d+\["[^"`]*"\]|\s+end|\s+(linkStyle|classDef|class) [\w#,: -]+)$/,
          );
        }
      }),
    );
  });
});
