import type { FailureKind } from './failure.js';

/** How bad a pass was, in the methodology's words: up to 1%, up to 10%, above, above 50% (as the rules say). */
export type FailureLevel = 'none' | 'minor' | 'moderate' | 'major' | 'critical';

/** What a run does about the failures of a pass. `agents` is the number that goes on with them. */
export type FailureResponse =
  /** Nothing failed, or nothing that failed is worth another attempt: the wave ends as it is. */
  | { readonly kind: 'accept' }
  /** The failed run again on as many agents as before. */
  | { readonly kind: 'retry'; readonly agents: number }
  /** The failed run again on fewer agents. */
  | { readonly kind: 'reduce'; readonly agents: number }
  /** The failed run again, one after another. */
  | { readonly kind: 'sequential'; readonly agents: 1 }
  /** The run stops and reports. */
  | { readonly kind: 'stop' };

/** Where failures gather. */
export interface FailureRegion {
  readonly kind: 'folder' | 'host' | 'pool';
  readonly name: string;
}

/** What failures look like, and the evidence for it. */
export type Diagnosis =
  /** One cause: another attempt would end like the one before. */
  | {
      readonly kind: 'systematic';
      readonly evidence: /** The same exit code and message, `count` times. */
        | {
            readonly kind: 'same-cause';
            readonly failure: FailureKind;
            readonly message: string;
            readonly exitCode?: number;
            readonly count: number;
          }
        /** Every subtask of one task. */
        | { readonly kind: 'whole-task'; readonly task: string; readonly count: number }
        /** The same subtasks ended again as in the pass before. */
        | { readonly kind: 'repeated'; readonly count: number };
    }
  /** One folder, host or pool holds most of them. */
  | {
      readonly kind: 'regional';
      readonly region: FailureRegion;
      /** Failures in it. */
      readonly inside: number;
      /** Failures elsewhere. */
      readonly outside: number;
      /** Subtasks of the wave that are in it, failed or not. */
      readonly subtasks: number;
    }
  /** Neither: several causes or places, or too few to tell. */
  | { readonly kind: 'random'; readonly causes: number; readonly count: number };

/** A pass of a wave as the failure policy saw it. A pass is over when each subtask it began with has ended. */
export interface FailureAssessment {
  readonly wave: number;
  /** From 1; later passes are of the failed alone. */
  readonly pass: number;
  /** Subtasks of the wave. */
  readonly subtasks: number;
  /** Those that are failed at the end of this pass. */
  readonly failed: number;
  readonly level: Exclude<FailureLevel, 'none'>;
  readonly diagnosis: Diagnosis;
  readonly response: FailureResponse;
  /** Failed subtasks that run again. */
  readonly retried: number;
}
