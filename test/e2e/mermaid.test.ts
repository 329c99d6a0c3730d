import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from '../support/browser.js';
import { PROJECT, waveplan } from '../support/cli.js';
import { repository, tempFolder, writeFiles } from '../support/repository.js';

const MERMAID = join(PROJECT, 'node_modules', 'mermaid', 'dist', 'mermaid.min.js');

const HOSTILE = JSON.stringify(
  '"]; end click t1 "javascript:alert(1)" %%{init: {"securityLevel":"loose"}}%% <img src=x onerror=alert(1)> `**x**` #quot; 日本',
);

const PLAN = `version: 1
name: ${HOSTILE}
backup: none
tasks:
  end: { phase: subgraph, run: 'true' }
  class: { phase: graph, needs: [end], run: 'true' }
  o-x--x: { phase: graph, needs: [end], foreach: [1, 2], run: 'true' }
  default: { phase: style, needs: [class, o-x--x], run: 'false' }
`;

describeInBrowser('Mermaid itself', () => {
  it.each(['plan', 'run'])('parses and draws the graph of a %s, whatever its names are', async (of) => {
    const folder = repository({ 'plan.yaml': PLAN });
    if (of === 'run') await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    const graph = await waveplan(['graph', 'plan.yaml', ...(of === 'run' ? ['--run'] : [])], { cwd: folder });
    expect(graph.code, graph.text).toBe(0);
    const empty = tempFolder();
    writeFiles(empty, { 'empty.html': '<!doctype html><html><head><link rel="icon" href="data:,"></head><body></body></html>' });
    const { page, messages } = await openPage(join(empty, 'empty.html'));
    await page.addScriptTag({ content: readFileSync(MERMAID, 'utf8') });
    const drawn = (await page.evaluate(
      `(async () => { mermaid.initialize({ startOnLoad: false }); const text = ${JSON.stringify(graph.stdout)}; const { diagramType } = await mermaid.parse(text); const { svg } = await mermaid.render('g', text); document.body.innerHTML = svg; return { diagramType, text: document.body.innerText, nodes: document.querySelectorAll('.node').length, boxes: document.querySelectorAll('.cluster').length }; })()`,
    )) as { readonly text: string };
    expect(drawn).toMatchObject({ diagramType: expect.stringContaining('flowchart'), nodes: 4, boxes: 3 });
    for (const id of ['end', 'class', 'o-x--x', 'default']) expect(drawn.text).toContain(id);
    expect(messages).toEqual([]);
    await page.close();
  });
});
