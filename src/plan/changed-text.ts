import type { Report } from './problems.js';
import { entriesOf, itemsOf, type SourceNode } from './source-node.js';

/**
 * Warns of values that commands would get as another text than was written, at any depth: without quotes, `3.10` is the number 3.1
 * and `007` is 7. To be asked where values become text; `env` and arguments take what was written.
 */
export function warnOfChangedText(
  node: SourceNode | undefined,
  report: Report,
  hintFor = (written: string, _: string) => `quote it to keep "${written}"`,
): void {
  if (node === undefined) return;
  for (const item of itemsOf(node)) warnOfChangedText(item, report, hintFor);
  for (const [, { value }] of entriesOf(node)) warnOfChangedText(value, report, hintFor);
  if (node.kind !== 'scalar' || node.style !== 'plain') return;
  const { json, source } = node;
  const becomes = json === null ? (/^null$/i.test(source) && source !== 'null' ? 'nothing' : source) : String(json);
  if (typeof json === 'string' || source === '' || becomes === source) return;
  // Others are refused anyway.
  if (typeof json === 'number' && !(Number.isFinite(Number(source)) && (Number.isSafeInteger(json) || /[.e]/i.test(source))))
    return;
  const written = source.slice(0, 40);
  const message = `${written} reads as ${becomes}`;
  report({ code: 'QUOTES', message, span: node, hint: hintFor(written, becomes), severity: 'warning' });
}
