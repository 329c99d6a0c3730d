import { Ancestry } from './ancestry.js';
import { didYouMean } from './closest.js';
import { findCycles } from './cycles.js';
import type { Report } from './problems.js';
import type { TaskDraft } from './read-task.js';
import type { Span } from './source-node.js';

/** Hints compare with every name; a plan with more unknown needs than this has another problem. */
const MAX_HINTS = 100;

/** A circle this long is shown by its beginning; `related` lists it whole. */
const SHOWN_NAMES = 8;

/**
 * Checks everything that takes all tasks to know: that needs exist, that there are no circles, and that expressions
 * read only tasks that come before. Linear in tasks and needs, without recursion.
 */
export function checkNeeds(tasks: readonly TaskDraft[], finallyTasks: readonly TaskDraft[], report: Report): void {
  new NeedsCheck(tasks, finallyTasks, report).check();
}

class NeedsCheck {
  readonly #tasks: readonly TaskDraft[];
  readonly #finallyTasks: readonly TaskDraft[];
  readonly #report: Report;
  readonly #position: ReadonlyMap<string, number>;
  readonly #finallyNames: ReadonlySet<string>;
  #hintsLeft = MAX_HINTS;

  constructor(tasks: readonly TaskDraft[], finallyTasks: readonly TaskDraft[], report: Report) {
    this.#tasks = tasks;
    this.#finallyTasks = finallyTasks;
    this.#report = report;
    this.#position = new Map(tasks.map((task, position) => [task.id, position]));
    this.#finallyNames = new Set(finallyTasks.map((task) => task.id));
  }

  check(): void {
    const needs = this.#tasks.map((task) => this.#resolve(task));
    for (const cycle of findCycles(needs)) this.#reportCycle(cycle);
    const ancestry = new Ancestry(needs);
    this.#tasks.forEach((task, position) => {
      for (const read of task.reads) this.#checkRead(task, { ...read, position, ancestry });
    });
    for (const task of this.#finallyTasks) {
      for (const read of task.reads) {
        if (!this.#position.has(read.task)) this.#unknown('READS', read.task, read.span());
      }
    }
  }

  /** Positions of the tasks that a task needs, without those that were reported. */
  #resolve(task: TaskDraft): readonly number[] {
    const first = new Map<string, Span>();
    const positions: number[] = [];
    for (const need of task.needs) {
      const before = first.get(need.task);
      const position = this.#position.get(need.task);
      if (before !== undefined) {
        const related = [{ message: `'${need.task}' was named here first`, span: before }];
        const message = `task '${task.id}' needs '${need.task}' twice`;
        this.#report({ code: 'NEEDS', message, span: need.span, hint: 'remove one of the two', related });
      } else if (need.task === task.id) {
        this.#report({ code: 'NEEDS', message: `task '${task.id}' needs itself`, span: need.span, hint: 'remove it from needs' });
      } else if (position === undefined) {
        this.#unknown('NEEDS', need.task, need.span);
      } else {
        positions.push(position);
      }
      first.set(need.task, before ?? need.span);
    }
    return positions;
  }

  #unknown(code: 'NEEDS' | 'READS', name: string, span: Span): void {
    if (this.#finallyNames.has(name)) {
      const message = `'${name}' is a task under 'finally', which runs after everything else`;
      this.#report({ code, message, span });
      return;
    }
    this.#hintsLeft -= 1;
    const hint = this.#hintsLeft < 0 ? undefined : didYouMean(name, this.#position.keys());
    this.#report({ code, message: `there is no task '${name}'`, span, hint });
  }

  #reportCycle(cycle: readonly number[]): void {
    const edges = cycle.flatMap((position, index) => {
      const task = this.#tasks[position];
      const target = this.#tasks[cycle[(index + 1) % cycle.length] ?? position];
      const need = task?.needs.find((candidate) => candidate.task === target?.id);
      return task === undefined || need === undefined
        ? []
        : [{ message: `'${task.id}' needs '${need.task}'`, span: need.span, from: task.id }];
    });
    const names = edges.map((edge) => edge.from);
    const shown = names.length > SHOWN_NAMES ? [...names.slice(0, SHOWN_NAMES), '…'] : names;
    this.#report({
      code: 'CYCLE',
      message: `tasks need each other in a circle: ${[...shown, names[0]].join(' → ')}`,
      span: edges[0]?.span,
      hint: 'remove one of these needs',
      related: edges,
    });
  }

  #checkRead(
    task: TaskDraft,
    read: { readonly task: string; readonly span: () => Span; readonly position: number; readonly ancestry: Ancestry },
  ): void {
    const earlier = this.#position.get(read.task);
    if (read.task === task.id) {
      const hint = "its own results are 'results', under 'success'";
      this.#report({ code: 'READS', message: `task '${task.id}' reads its own results`, span: read.span(), hint });
    } else if (earlier === undefined) {
      this.#unknown('READS', read.task, read.span());
    } else if (!read.ancestry.comesBefore(earlier, read.position)) {
      const message = `task '${task.id}' reads results of '${read.task}', which is not among its needs`;
      this.#report({ code: 'READS', message, span: read.span(), hint: `add '${read.task}' to needs` });
    }
  }
}
