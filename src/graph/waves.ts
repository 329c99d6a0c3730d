import type { TaskGraph, TaskNode, Wave } from './task-graph.js';

/** Groups a graph's tasks by depth. Every task is in exactly one wave, after all its needs. */
export function groupWaves(graph: TaskGraph): readonly Wave[] {
  const byDepth: TaskNode[][] = [];
  for (const node of graph.nodes) {
    const wave = byDepth[node.depth - 1];
    if (wave === undefined) byDepth[node.depth - 1] = [node];
    else wave.push(node);
  }
  return byDepth.map((nodes, i) => ({ number: i + 1, name: waveName(nodes), nodes }));
}

/** Names of tasks that stand for a wave without phases. */
const NAMED_TASKS = 3;

function waveName(nodes: readonly TaskNode[]): string {
  const phases = [...new Set(nodes.flatMap(({ task }) => (task.phase === undefined ? [] : [task.phase])))];
  if (phases.length > 0) return phases.join(' + ');
  const names = nodes.slice(0, NAMED_TASKS).map(({ task }) => task.id);
  return `${names.join(', ')}${nodes.length > NAMED_TASKS ? ', …' : ''}`;
}
