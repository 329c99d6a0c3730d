import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from '../support/browser.js';
import { PROJECT, waveplan } from '../support/cli.js';
import { repository, tempFolder, writeFiles } from '../support/repository.js';

const MERMAID = join(PROJECT, 'node_modules', 'mermaid', 'dist', 'mermaid.min.js');

const HOSTILE = JSON.stringify(
  '"]; end click t1 "javascript:alert(1)" %%{init: {"theme":"dark","flowchart":{"htmlLabels":false}}}%% <img src=x onerror=alert(1)> `**x**` #quot; 日本',
);

const planOf = (name: string) => `version: 1
name: ${name}
backup: none
tasks:
  end: { phase: subgraph, run: 'true' }
  class: { phase: graph, needs: [end], run: 'true' }
  o-x--x: { phase: graph, needs: [end], foreach: [1, 2], run: 'true' }
  default: { phase: style, needs: [class, o-x--x], run: 'false' }
`;

/** What Mermaid makes of a text: it throws where the text does not parse. */
async function drawn(text: string) {
  const folder = tempFolder();
  writeFiles(folder, { 'empty.html': '<!doctype html><html><head><link rel="icon" href="data:,"></head><body></body></html>' });
  const { page, messages } = await openPage(join(folder, 'empty.html'));
  await page.addScriptTag({ content: readFileSync(MERMAID, 'utf8') });
  const picture = (await page.evaluate(
    `(async () => { mermaid.initialize({ startOnLoad: false }); const text = ${JSON.stringify(text)}; const { diagramType } = await mermaid.parse(text); const { svg } = await mermaid.render('g', text); document.body.innerHTML = svg; return { svg, diagramType, text: document.body.innerText, nodes: document.querySelectorAll('.node').length, boxes: document.querySelectorAll('.cluster').length }; })()`,
  )) as { readonly svg: string; readonly text: string };
  await page.close();
  expect(messages).toEqual([]);
  return picture;
}

describeInBrowser('Mermaid itself', () => {
  it.each(['plan', 'run'])('parses and draws the graph of a %s, whatever its names are', async (of) => {
    const folder = repository({ 'plan.yaml': planOf(HOSTILE) });
    if (of === 'run') await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    const graph = await waveplan(['graph', 'plan.yaml', ...(of === 'run' ? ['--run'] : [])], { cwd: folder });
    expect(graph.code, graph.text).toBe(0);
    const picture = await drawn(graph.stdout);
    expect(picture).toMatchObject({ diagramType: expect.stringContaining('flowchart'), nodes: 4, boxes: 3 });
    for (const id of ['end', 'class', 'o-x--x', 'default']) expect(picture.text).toContain(id);
  });

  it('takes nothing from the name of a plan, which may hold its directives', async () => {
    const folder = repository({ 'plan.yaml': planOf(HOSTILE), 'plain.yaml': planOf('plain') });
    const [hostile, plain] = await Promise.all(
      ['plan.yaml', 'plain.yaml'].map(async (file) => drawn((await waveplan(['graph', file], { cwd: folder })).stdout)),
    );
    expect(hostile?.svg).toBe(plain?.svg);
  });
});
