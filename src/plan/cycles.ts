/** Beyond this many, further circles are left for after these are mended. */
const MAX_CYCLES = 100;

/**
 * The circles of a graph given as, for each node, the nodes that it needs. Each circle lists its nodes in order of
 * need, starting with the lowest, and is the shortest through that node; no two share an edge, and cutting one edge
 * of each leaves the graph without the circles found. Works without recursion, in time linear in edges for each round
 * of circles found (acyclic graphs: one round).
 */
export function findCycles(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const cycles: (readonly number[])[] = [];
  let remaining = needs;
  while (cycles.length < MAX_CYCLES) {
    const components = stronglyConnected(remaining);
    if (components.length === 0) break;
    const cut = remaining.map((targets) => new Set(targets));
    for (const component of components) {
      const cycle = shortestCycle(remaining, component);
      cycles.push(cycle);
      cycle.forEach((node, position) => {
        cut[node]?.delete(cycle[(position + 1) % cycle.length] ?? node);
      });
    }
    remaining = cut.map((targets) => [...targets]);
  }
  return cycles.slice(0, MAX_CYCLES).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
}

/** Strongly connected components of more than one node, by Tarjan's algorithm with a stack of its own. */
function stronglyConnected(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const count = needs.length;
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const nextEdge = new Int32Array(count);
  const stack: number[] = [];
  const components: number[][] = [];
  let visited = 0;
  for (let root = 0; root < count; root += 1) {
    if (order[root] !== -1) continue;
    const path = [root];
    while (path.length > 0) {
      const node = path[path.length - 1] ?? root;
      if (order[node] === -1) {
        order[node] = visited;
        low[node] = visited;
        visited += 1;
        stack.push(node);
        onStack[node] = 1;
      }
      const edge = nextEdge[node] ?? 0;
      const target = needs[node]?.[edge];
      if (target !== undefined) {
        nextEdge[node] = edge + 1;
        if (order[target] === -1) path.push(target);
        else if (onStack[target] === 1) low[node] = Math.min(low[node] ?? 0, order[target] ?? 0);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] !== order[node]) continue;
      const component = stack.splice(stack.lastIndexOf(node));
      for (const member of component) onStack[member] = 0;
      if (component.length > 1) components.push(component);
    }
  }
  return components;
}

/** The shortest circle through the lowest node of a strongly connected component, found breadth first. */
function shortestCycle(needs: readonly (readonly number[])[], component: readonly number[]): readonly number[] {
  const members = new Set(component);
  const start = component.reduce((lowest, node) => Math.min(lowest, node));
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (let head = 0; head < queue.length; head += 1) {
    const node = queue[head] ?? start;
    for (const target of needs[node] ?? []) {
      if (target === start) return pathBack(node, cameFrom);
      if (!members.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, node);
      queue.push(target);
    }
  }
  throw new Error('Internal error: a strongly connected component without a circle');
}

function pathBack(last: number, cameFrom: ReadonlyMap<number, number>): readonly number[] {
  const path = [last];
  for (let node = cameFrom.get(last); node !== undefined; node = cameFrom.get(node)) path.push(node);
  return path.reverse();
}
