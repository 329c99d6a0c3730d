import { inertLine } from '../inert.js';
import { type GraphView, graphEdges } from './graph-view.js';
import { graphTitle, nodeLines } from './labels.js';

/** A graph in Graphviz' language: waves are ranks, the critical path is bold. Classes are for style sheets of an SVG. */
export function renderDot(view: GraphView): string {
  const tasks = view.waves.flatMap((wave) => wave.tasks);
  const nodeOf = new Map(tasks.map(({ id }, position) => [id, `t${position + 1}`]));
  const lines = [
    `digraph ${quoted('plan')} {`,
    `  graph [rankdir=LR, newrank=true, bgcolor="transparent", nodesep=0.22, ranksep=0.5, comment=${quoted(graphTitle(view))}];`,
    '  node [shape=box, style="rounded", fontname="Helvetica,Arial,sans-serif", fontsize=13, margin="0.16,0.07", class="task"];',
    '  edge [arrowsize=0.7, class="need"];',
  ];
  for (const { number, name, tasks: members } of view.waves) {
    const title = quoted(`wave ${number}\\n${escapedText(name)}`, false);
    lines.push(
      `  subgraph cluster_wave${number} {`,
      `    graph [label=${title}, labelloc=t, fontname="Helvetica,Arial,sans-serif", fontsize=12, style="rounded", class="wave"];`,
    );
    for (const task of members) {
      const label = quoted(nodeLines(task).map(escapedText).join('\\n'), false);
      const marks = view.critical.has(task.id) ? ', penwidth=2.5' : '';
      const classes = [
        'task',
        ...(view.critical.has(task.id) ? ['critical'] : []),
        ...(task.outcome === undefined ? [] : [task.outcome]),
      ];
      lines.push(`    ${nodeOf.get(task.id)} [label=${label}, class="${classes.join(' ')}"${marks}];`);
    }
    lines.push('  }');
  }
  // Without an edge a task would be drawn in the first rank: its wave is its rank, whatever it needs.
  for (const { tasks: members } of view.waves)
    lines.push(`  { rank=same; ${members.map(({ id }) => `${nodeOf.get(id)};`).join(' ')} }`);
  for (const { from, to, critical, optional } of graphEdges(view)) {
    const marks = [...(optional ? ['style=dashed'] : []), ...(critical ? ['penwidth=2.5, class="need critical"'] : [])];
    const attributes = marks.length === 0 ? '' : ` [${marks.join(', ')}]`;
    lines.push(`  ${nodeOf.get(from)} -> ${nodeOf.get(to)}${attributes};`);
  }
  return `${lines.join('\n')}\n}\n`;
}

/** Text between Graphviz' quotes: a backslash begins an escape of its own there, and `&` an HTML entity. */
function escapedText(text: string): string {
  return inertLine(text)
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}

function quoted(text: string, raw = true): string {
  return `"${raw ? escapedText(text) : text}"`;
}
