import type { DependencyClass, GraphPattern, TaskGraph, TaskNode } from './task-graph.js';

/** none: no task needs another; shallow: at most 2 tasks in a row; moderate: 3 to 5; deep: more. */
export function classifyDependencies(graph: TaskGraph): DependencyClass {
  const longest = graph.nodes.reduce((deepest, node) => Math.max(deepest, node.depth), 0);
  if (longest <= 1) return 'none';
  if (longest === 2) return 'shallow';
  return longest <= 5 ? 'moderate' : 'deep';
}

/**
 * Names the shape of a graph, in which a fan-out counts as two parallel copies of its task (so that
 * scan → each → sum is a diamond):
 *
 * - independent: no edges
 * - pipeline: every task has at most one need and at most one dependent
 * - fan-out: every task has at most one need (and some have several dependents)
 * - fan-in: every task has at most one dependent (and some have several needs)
 * - diamond: one first task, one last task, and all others, two or more, side by side between those two
 * - layered: anything else
 */
export function classifyPattern(graph: TaskGraph): GraphPattern {
  const { nodes } = graph;
  if (nodes.every((node) => node.needs.length === 0)) return 'independent';
  const copies = (indexes: readonly number[]) => indexes.reduce((sum, index) => sum + copiesOf(nodes[index]), 0);
  const needs = nodes.map((node) => copies(node.needs));
  const dependents = nodes.map((node) => copies(node.dependents));
  const narrow = (counts: readonly number[]) => counts.every((count) => count <= 1);
  if (narrow(needs)) return narrow(dependents) ? 'pipeline' : 'fan-out';
  if (narrow(dependents)) return 'fan-in';
  return isDiamond(nodes) ? 'diamond' : 'layered';
}

function isDiamond(nodes: readonly TaskNode[]): boolean {
  const first = nodes.filter((node) => node.needs.length === 0);
  const last = nodes.filter((node) => node.dependents.length === 0);
  const [source] = first;
  const [sink] = last;
  if (first.length !== 1 || last.length !== 1 || source === undefined || sink === undefined) return false;
  if (copiesOf(source) > 1 || copiesOf(sink) > 1) return false;
  const between = nodes.filter((node) => node !== source && node !== sink);
  if (between.reduce((sum, node) => sum + copiesOf(node), 0) < 2) return false;
  return between.every(
    (node) => node.needs.every((need) => need === source.index) && node.dependents.every((dependent) => dependent === sink.index),
  );
}

function copiesOf(node: TaskNode | undefined): number {
  return node?.task.foreach === undefined ? 1 : 2;
}
