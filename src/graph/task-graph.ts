import type { TaskDefinition } from '../plan/valid-plan.js';

/** A task in the graph. A fan-out stays one node, however many items it has. */
export interface TaskNode {
  /** Position in `TaskGraph.nodes`. */
  readonly index: number;
  readonly task: TaskDefinition;
  /** Indexes of the tasks that must end first. */
  readonly needs: readonly number[];
  /** Indexes of the tasks that wait for this one. */
  readonly dependents: readonly number[];
  /** Longest path from a root, from 1: the number of the task's wave. */
  readonly depth: number;
}

/** A plan's tasks and the order they impose. Acyclic, because a `ValidPlan` is. */
export interface TaskGraph {
  readonly nodes: readonly TaskNode[];
  readonly indexOf: ReadonlyMap<string, number>;
}

/** All tasks of one dependency depth. Wave 0, the backup, holds no tasks and is not in the list. */
export interface Wave {
  /** From 1. */
  readonly number: number;
  /** The phases of its tasks, in file order, joined by ' + '; the first tasks' names where none has a phase. */
  readonly name: string;
  readonly nodes: readonly TaskNode[];
}

/** How deep the dependencies go. */
export type DependencyClass = 'none' | 'shallow' | 'moderate' | 'deep';

/** The shape of the graph. */
export type GraphPattern = 'independent' | 'pipeline' | 'fan-out' | 'fan-in' | 'diamond' | 'layered';
