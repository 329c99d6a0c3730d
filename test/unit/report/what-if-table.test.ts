import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/report/display-width.js';
import { renderWhatIf } from '../../../src/report/what-if-table.js';
import type { WhatIf } from '../../../src/scaling/what-if.js';
import { anyWhatIf } from './builders.js';

function row(agents: number, seconds: number, ratio: number, band: WhatIf['roi']['band'], decided = false): WhatIf {
  const overheadSeconds = agents * 0.3;
  return {
    agents,
    seconds,
    overheadSeconds,
    roi: { agents, ratio, band, timeSavedMinutes: 1, overheadMinutes: overheadSeconds / 60 },
    decided,
  };
}

const ROWS = [row(1, 500, -1, 'POOR'), row(84, 12.5, 55.2, 'GOOD', true), row(1000, 3000, Number.MAX_VALUE, 'EXCELLENT')];

describe('the what-if table', () => {
  it('shows a row for each count, the decided one marked', () => {
    expect(renderWhatIf(ROWS, { color: false }).split('\n')).toEqual([
      '┌────────┬────────────────┬──────────┬─────────────────────────┐',
      '│ Agents │ Predicted time │ Overhead │ ROI                     │',
      '├────────┼────────────────┼──────────┼─────────────────────────┤',
      '│      1 │     8 min 20 s │   300 ms │ -1x (POOR)              │',
      '│   → 84 │         12.5 s │   25.2 s │ 55.2x (GOOD)            │',
      '│  1,000 │         50 min │    5 min │ no overhead (EXCELLENT) │',
      '└────────┴────────────────┴──────────┴─────────────────────────┘',
      '→ the decided count',
    ]);
  });

  it('breaks no word where it is narrow', () => {
    const narrow = renderWhatIf([row(2, 2.81, 616, 'EXCELLENT', true)], { color: false, width: 40 });
    for (const word of ['Agents', 'Predicted', 'Overhead', '(EXCELLENT)']) expect(narrow).toContain(word);
  });

  it('marks nothing where nothing is decided', () => {
    expect(renderWhatIf(ROWS.slice(0, 1), { color: false })).not.toContain('→');
  });

  it('colours the decided row, and changes nothing else by colour', () => {
    const colored = renderWhatIf(ROWS, { color: true });
    expect(colored).toContain('\u001b[32m→ 84\u001b[39m');
    expect(stripVTControlCharacters(colored)).toBe(renderWhatIf(ROWS, { color: false }));
  });

  it('is aligned and within its width, and loses no figure', () => {
    fc.assert(
      fc.property(anyWhatIf, fc.integer({ min: 0, max: 140 }), fc.boolean(), (rows, width, color) => {
        const lines = stripVTControlCharacters(renderWhatIf(rows, { color, width })).split('\n');
        const table = lines.filter((line) => !line.startsWith('→'));
        expect(new Set(table.map(displayWidth)).size).toBe(1);
        expect(displayWidth(table[0] ?? '')).toBeLessThanOrEqual(Math.min(100, Math.max(40, width)));
        const cells = table.slice(1).map((line) => line.split('│').map((cell) => cell.trim()));
        const digits = cells.map((line) => line[1]?.replace(/\D/g, '')).join('');
        expect(digits).toBe(rows.map(({ agents }) => (agents < 100 ? agents : Math.round(agents))).join(''));
        expect(lines.join('')).not.toContain('…');
      }),
    );
  });
});
