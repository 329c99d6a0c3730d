import type { TaskNode } from './task-graph.js';

/**
 * The length of the longest path from each node to the end of the graph, its own weight included: the priority of list
 * scheduling (T. C. Hu, "Parallel Sequencing and Assembly Line Problems", 1961). Linear in nodes and needs.
 */
export function longestPaths(nodes: readonly TaskNode[], weightOf: (node: TaskNode) => number): readonly number[] {
  const lengths = nodes.map(() => 0);
  const backwards = [...nodes].sort((a, b) => b.depth - a.depth);
  for (const node of backwards) {
    let longest = 0;
    for (const dependent of node.dependents) longest = Math.max(longest, lengths[dependent] ?? 0);
    lengths[node.index] = weightOf(node) + longest;
  }
  return lengths;
}
