import { inertLine } from '../inert.js';
import { type GraphView, graphEdges } from './graph-view.js';
import { graphTitle, nodeLines } from './labels.js';

/** A graph in Mermaid's language, for Markdown pages: a box for each wave, the critical path drawn thick. */
export function renderMermaid(view: GraphView): string {
  const tasks = view.waves.flatMap((wave) => wave.tasks);
  const nodeOf = new Map(tasks.map(({ id }, position) => [id, `t${position + 1}`]));
  const lines = ['flowchart LR', `  %% ${escapedText(graphTitle(view))}`];
  for (const { number, name, tasks: members } of view.waves) {
    lines.push(`  subgraph w${number}["${escapedText(`Wave ${number}: ${name}`)}"]`);
    for (const task of members) {
      const label = nodeLines(task).map(escapedText).join('<br/>');
      lines.push(task.fanOut ? `    ${nodeOf.get(task.id)}[["${label}"]]` : `    ${nodeOf.get(task.id)}["${label}"]`);
    }
    lines.push('  end');
  }
  const thick: number[] = [];
  for (const [position, { from, to, critical, optional }] of graphEdges(view).entries()) {
    // Of the critical path, `linkStyle` draws an optional need thick too.
    lines.push(`  ${nodeOf.get(from)} ${optional ? '-.->' : critical ? '==>' : '-->'} ${nodeOf.get(to)}`);
    if (critical) thick.push(position);
  }
  if (thick.length > 0) lines.push(`  linkStyle ${thick.join(',')} stroke:#b3530f,stroke-width:3px`);
  const critical = tasks.filter(({ id }) => view.critical.has(id)).map(({ id }) => nodeOf.get(id));
  if (critical.length > 0)
    lines.push('  classDef critical stroke:#b3530f,stroke-width:3px', `  class ${critical.join(',')} critical`);
  const failed = tasks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => nodeOf.get(id));
  if (failed.length > 0) lines.push('  classDef failed fill:#fbe3e1,color:#5c1410', `  class ${failed.join(',')} failed`);
  return `${lines.join('\n')}\n`;
}

/** Text between Mermaid's quotes: everything that its grammar, its Markdown or HTML could take for markup becomes an entity. */
function escapedText(text: string): string {
  return inertLine(text).replace(/[^\p{L}\p{N} .,:;/_()[\]+=@-]/gu, (character) => `#${character.codePointAt(0)};`);
}
