import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { describeInBrowser, openPage } from '../support/browser.js';
import { waveplan } from '../support/cli.js';
import { repository, tempFolder, writeFiles } from '../support/repository.js';

const SMALL = `version: 1
name: small
description: A small run with a failure
backup: none
agents: 3
tasks:
  list: { phase: Analysis, run: 'printf "%s\\n" 1 2 3 4 5 6 7 8 9 10 11', output: lines }
  each: { phase: A phase with a name that is rather long for a chart, needs: [list], foreach: "\${{ tasks.list.results.stdout }}", run: '[ "$ITEM" != 4 ] || { echo "four is out" >&2; exit 2; }' }
  last: { phase: Summary, needs: [each], run: 'echo done' }
`;

/** Waves that overlap: tasks that do not wait for a barrier. */
const EAGER = `version: 1
name: eager
backup: none
agents: 4
sync: eager
tasks:
  list: { phase: Analysis, run: 'seq 1 9', output: lines }
  slow: { phase: Analysis, run: 'while [ ! -e saved ]; do sleep 0.02; done' }
  fetch: { phase: Fetch, needs: [list], foreach: "\${{ tasks.list.results.stdout }}", run: 'true' }
  save: { phase: Save, needs: [fetch], foreach: { each: fetch }, run: 'touch saved' }
`;

/** Subtasks enough for charts that are aggregated; the size of a page must not follow them. */
const MANY = 20_000;
const LARGE = `version: 1
name: large
backup: none
agents: 60
tasks:
  list: { run: 'seq 1 ${MANY}', output: lines }
  each: { needs: [list], foreach: "\${{ tasks.list.results.stdout }}", uses: ./noop.mjs, with: { n: "\${{ item }}" } }
`;

describeInBrowser('the page of a report', () => {
  let small = '';
  let large = '';
  let eager = '';
  beforeAll(async () => {
    const folder = repository({ 'plan.yaml': SMALL });
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms', '--html', 'report.html'], { cwd: folder });
    small = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(done.code, done.text).toBe(1);
    writeFiles(folder, { 'eager.yaml': EAGER });
    await waveplan(['run', 'eager.yaml', '--yes', '--quiet', '--overhead', '3ms', '--html', 'eager.html'], { cwd: folder });
    eager = readFileSync(join(folder, 'eager.html'), 'utf8');
    const other = tempFolder();
    writeFiles(other, {
      'plan.yaml': LARGE,
      'noop.mjs': 'export default (input) => { if (Number(input.n) % 1000 === 0) throw new Error(`no ${input.n}`); };\n',
    });
    await waveplan(['run', 'plan.yaml', '--yes', '--quiet', '--overhead', '3ms', '--html', 'report.html'], { cwd: other });
    large = readFileSync(join(other, 'report.html'), 'utf8');
  });

  /** Folders are emptied after each test. */
  function stored(text: string): string {
    const file = join(tempFolder(), 'report.html');
    writeFiles(join(file, '..'), { 'report.html': text });
    return file;
  }

  it.each([360, 800, 1280].flatMap((width) => (['light', 'dark'] as const).map((scheme) => [width, scheme] as const)))(
    'is whole at %i pixels, %s: nothing asked for, nothing said, nothing beside the page, all of it readable',
    async (width, scheme) => {
      for (const text of [small, large, eager]) {
        const { page, messages, requests } = await openPage(stored(text), { width, scheme });
        expect(messages).toEqual([]);
        expect(requests).toEqual([]);
        const found = (await page.evaluate(LOOK)) as { readonly charts: number };
        expect(found).toMatchObject({ overflow: 0, faint: [], cut: [], overlapping: [] });
        expect(found.charts).toBeGreaterThanOrEqual(4);
        await page.close();
      }
    },
  );

  it('has the figures, the failures with what they said, and the graph', async () => {
    const { page } = await openPage(stored(small));
    const text = await page.evaluate('document.body.innerText');
    for (const part of [
      '12\nof 13 subtasks done',
      'exit code 2: four is out',
      'Timeline of agents by wave',
      'Where the agents',
      'The critical path is thick',
      'USER_OVERRIDE',
    ])
      expect(text).toContain(part);
    await page.close();
  });

  it('stays small, and says that it is aggregated', () => {
    expect(statSync(stored(large)).size).toBeLessThan(700_000);
    expect(large).toContain('the stronger its colour, the busier');
    expect(small).toContain('Every subtask is a bar');
  });

  it('runs nothing by its policy: a script that got in would be refused', async () => {
    const { page, messages } = await openPage(
      stored(
        small.replace(
          '</body>',
          '<script>document.title = "taken"</script><img src=x onerror="document.title = \'taken\'"></body>',
        ),
      ),
    );
    expect(await page.title()).toBe('small: failed');
    expect(messages.join('\n')).toContain('Content Security Policy');
    await page.close();
  });

  it('prints: charts in the wide form, in light colours, and every log whole', async () => {
    const { page } = await openPage(stored(small), { width: 700, scheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    const printed = await page.evaluate(
      'document.querySelectorAll("details").forEach((e) => e.removeAttribute("open")); ({ wide: getComputedStyle(document.querySelector(".wide")).display, page: getComputedStyle(document.body).backgroundColor, log: document.querySelector("details pre").getBoundingClientRect().height > 10 })',
    );
    expect(printed).toEqual({ wide: 'block', page: 'rgb(255, 255, 255)', log: true });
    await page.close();
  });
});

/** Runs in the page: what a person would stumble over. */
const LOOK = `(() => {
  const shown = (element) => element.getClientRects().length > 0;
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((c) => { const s = c / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = (element) => { for (let at = element; at; at = at.parentElement) { const color = rgb(getComputedStyle(at).backgroundColor); if (color[3] > 0) return color; } return [255, 255, 255, 255]; };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const texts = [...document.querySelectorAll('p,li,b,small,td,th,dd,dt,h1,h2,h3,summary,figcaption,pre,footer,svg text')].filter((e) => shown(e) && e.textContent.trim() !== '');
  const faint = texts.filter((e) => contrast(rgb(e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color), behind(e)) < 4.5).map((e) => e.textContent.slice(0, 40));
  const page = document.documentElement.clientWidth;
  const labels = [...document.querySelectorAll('figure:not(.graph) svg text')].filter((e) => shown(e) && e.textContent.trim() !== '');
  const boxes = labels.map((e) => ({ text: e.textContent, svg: e.closest('svg'), box: e.getBoundingClientRect() }));
  const cells = [...document.querySelectorAll('td,th')].filter(shown).map((e) => ({ text: e.textContent, box: e.getBoundingClientRect() }));
  const titles = [...document.querySelectorAll('.graph .wave')].filter(shown).flatMap((e) => [...e.querySelectorAll('text')].filter((t) => { const [a, b] = [t.getBoundingClientRect(), e.querySelector('rect').getBoundingClientRect()]; return a.left < b.left || a.right > b.right; }).map((t) => t.textContent));
  const cut = [...boxes, ...cells].filter(({ box }) => box.left < -1 || box.right > page + 1).map(({ text }) => text).concat(titles);
  const overlapping = [];
  for (let i = 0; i < boxes.length; i++) for (let k = i + 1; k < boxes.length; k++) {
    const [a, b] = [boxes[i], boxes[k]];
    if (a.svg !== b.svg) continue;
    const [w, h] = [Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left), Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top)];
    if (w > 1 && h > 2) overlapping.push(a.text + ' / ' + b.text);
  }
  return { overflow: Math.max(0, document.documentElement.scrollWidth - page), faint, cut, overlapping, charts: [...document.querySelectorAll('figure svg')].filter(shown).length };
})()`;
