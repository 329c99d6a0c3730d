import { displayWidth } from '../display-width.js';
import { type GraphView, graphEdges } from './graph-view.js';
import { nodeLines } from './labels.js';

/** A graph laid out: waves from left to right. Pixels, the origin at the top left. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  /** The columns of the waves, in order. */
  readonly columns: readonly { readonly from: number; readonly to: number }[];
}

/** A task's box, by its top left corner. */
export interface PlacedNode {
  readonly id: string;
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The points that an edge passes. */
export interface PlacedEdge {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly critical: boolean;
  readonly optional: boolean;
}

export const FONT_SIZE = 12;
/** Of the widest usual font at that size: a label that is laid out too narrow would leave its box. */
const CHARACTER_WIDTH = 7.2;
const LINE_HEIGHT = 16;

/** Lays a graph out. Every task is in its wave's column, whatever it needs; the library orders and places what is in it. */
export async function layOutGraph(view: GraphView): Promise<GraphLayout> {
  const { default: dagre } = await import('@dagrejs/dagre');
  const graph = new dagre.graphlib.Graph();
  const rankOf = new Map<string, number>();
  // Ranks of an even number: dagre puts the labels of edges between.
  const ranker = (ranked: { nodes(): string[]; node(id: string): { rank?: number } }) => {
    for (const id of ranked.nodes()) ranked.node(id).rank = rankOf.get(id) ?? 0;
  };
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 56, ranker: ranker as unknown as 'network-simplex' });
  graph.setDefaultEdgeLabel(() => ({}));
  // Names of our own: those of tasks are anything, `__proto__` too.
  const tasks = view.waves.flatMap((wave, position) => wave.tasks.map((task) => ({ task, rank: 2 * position })));
  const nameOf = new Map(tasks.map(({ task }, position) => [task.id, `t${position}`]));
  const texts = new Map<string, readonly string[]>();
  for (const [position, { task, rank }] of tasks.entries()) {
    const lines = nodeLines(task);
    const width = Math.max(...lines.map((text) => displayWidth(text))) * CHARACTER_WIDTH + 22;
    texts.set(task.id, lines);
    rankOf.set(`t${position}`, rank);
    graph.setNode(`t${position}`, { width, height: lines.length * LINE_HEIGHT + 10 });
  }
  const edges = graphEdges(view);
  for (const { from, to } of edges) graph.setEdge(nameOf.get(from) ?? '', nameOf.get(to) ?? '');
  dagre.layout(graph);
  const nodes = tasks.map(({ task }): PlacedNode => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(nameOf.get(task.id) ?? '');
    return { id: task.id, lines: texts.get(task.id) ?? [], x: x - width / 2, y: y - height / 2, width, height };
  });
  const placed = new Map(nodes.map((node) => [node.id, node]));
  return {
    width: nodes.reduce((most, { x, width }) => Math.max(most, x + width), 0),
    height: nodes.reduce((most, { y, height }) => Math.max(most, y + height), 0),
    nodes,
    edges: edges.map(({ from, to, critical, optional = false }): PlacedEdge => {
      const { points = [] } = graph.edge(nameOf.get(from) ?? '', nameOf.get(to) ?? '') as { points?: { x: number; y: number }[] };
      // Between neighbours there is nothing to go around.
      const next = (rankOf.get(nameOf.get(to) ?? '') ?? 0) - (rankOf.get(nameOf.get(from) ?? '') ?? 0) === 2;
      return { points: tidy(next ? [] : points, placed.get(from), placed.get(to)), critical, optional };
    }),
    columns: view.waves.map((wave) => {
      const members = wave.tasks.flatMap(({ id }) => placed.get(id) ?? []);
      const from = members.reduce((least, { x }) => Math.min(least, x), Number.POSITIVE_INFINITY);
      return { from: Number.isFinite(from) ? from : 0, to: members.reduce((most, { x, width }) => Math.max(most, x + width), 0) };
    }),
  };
}

/** An edge leaves a box in the middle of its right side and enters one on its left. */
function tidy(
  points: readonly { readonly x: number; readonly y: number }[],
  from: PlacedNode | undefined,
  to: PlacedNode | undefined,
): readonly { readonly x: number; readonly y: number }[] {
  if (from === undefined || to === undefined) return points;
  const start = { x: from.x + from.width, y: from.y + from.height / 2 };
  const end = { x: to.x, y: to.y + to.height / 2 };
  return [start, ...points.slice(1, -1).filter(({ x }) => x > start.x + 8 && x < end.x - 8), end];
}
