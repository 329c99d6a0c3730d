import type { Report } from './problems.js';
import { entriesOf, entryAt, type MapEntry, type SourceNode } from './source-node.js';

interface UnsupportedRow {
  /** Keys from the top of the plan; `*` is any task. */
  readonly path: readonly string[];
  /** Only where the value is so; absent: whenever the key is there. */
  readonly when?: (value: SourceNode) => boolean;
  readonly message: string;
  readonly hint: string;
}

const TASK_LISTS = ['tasks', 'finally'];

/**
 * What the plan format has and this version does not do. Refused, never ignored: a plan that asks for at most four
 * at once must not run with forty. Whoever builds one of these deletes its row.
 */
const UNSUPPORTED: readonly UnsupportedRow[] = [
  { path: ['pools'], message: "'pools' is not supported yet", hint: "use 'limits' or 'agents' to bound the whole plan" },
  ...TASK_LISTS.flatMap((list): readonly UnsupportedRow[] => [
    {
      path: [list, '*', 'pool'],
      message: "'pool' is not supported yet",
      hint: "use 'limits' or 'agents' to bound the whole plan",
    },
  ]),
];

/** Reports everything in the plan that this version does not do, at its key (or at the value that makes it so). */
export function checkUnsupported(root: SourceNode, report: Report): void {
  for (const { path, when, message, hint } of UNSUPPORTED) {
    for (const entry of entriesAt(root, path)) {
      if (when !== undefined && !when(entry.value)) continue;
      report({ code: 'UNSUPPORTED', message, span: when === undefined ? entry.key : entry.value, hint });
    }
  }
}

function entriesAt(root: SourceNode, path: readonly string[]): readonly MapEntry[] {
  let nodes: readonly SourceNode[] = [root];
  let found: readonly MapEntry[] = [];
  for (const step of path) {
    found = nodes.flatMap((node) => (step === '*' ? [...entriesOf(node)].map(([, entry]) => entry) : presentEntry(node, step)));
    nodes = found.map((entry) => entry.value);
  }
  return found;
}

function presentEntry(node: SourceNode, key: string): readonly MapEntry[] {
  const entry = entryAt(node, key);
  return entry === undefined ? [] : [entry];
}
