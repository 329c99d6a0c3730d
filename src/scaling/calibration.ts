/** What a calibration is good for: figures of another machine, Node or share of a machine are never used. */
export interface MachineFingerprint {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly arch: string;
  readonly node: string;
  /** waveplan's own: another version may dispatch differently. */
  readonly waveplan: string;
}

/** A cost that grows with the number of agents: `secondsPerWave + secondsPerAgent * n`, by least squares over waves of n no-op subtasks on n agents of a warm pool. */
export interface WaveCost {
  readonly secondsPerWave: number;
  readonly secondsPerAgent: number;
  /** 95% confidence bounds of `secondsPerAgent`. */
  readonly low: number;
  readonly high: number;
}

/** What module subtasks cost on workers of other machines, over Redis. Seconds. */
export interface RemoteCost extends WaveCost {
  /** ISO 8601, UTC. */
  readonly measured: string;
  /** That it was measured with, and their agents. */
  readonly workers: number;
  readonly agents: number;
  /** For each of many subtasks. */
  readonly dispatchSeconds: number;
  /** The way of a single one there and back. */
  readonly turnaroundSeconds: number;
}

/** The coordination overhead of this machine, as measured. Seconds. */
export interface Calibration {
  readonly version: 1;
  readonly method: 'quick' | 'bench';
  /** ISO 8601, UTC. */
  readonly measured: string;
  readonly machine: MachineFingerprint;
  /** Subtasks that call a module's function. */
  readonly modules: WaveCost;
  /** Subtasks that start a command. */
  readonly commands: WaveCost;
  /** Starting the pool with t threads: `first + each * (t - 1)`; paid once in a run. */
  readonly threadStart: { readonly first: number; readonly each: number };
  /** The coordinator's own time for one subtask: no number of agents makes a wave faster than this times its subtasks. */
  readonly dispatchSeconds: { readonly modules: number; readonly commands: number };
  /**
   * What an agent waits between two of its subtasks beyond their own durations: the way to the thread and back. An agent
   * that runs k subtasks in a row takes k times (duration + this).
   */
  readonly turnaroundSeconds?: { readonly modules: number; readonly commands: number };
  /**
   * Between the last subtask of a wave and the first of the next: checkpoints synced, read back and checked. Measured in
   * the temporary folder where `iops` is absent.
   */
  readonly barrierSeconds: number;
  /** Small synced writes a second in the state folder, one after another; absent where there was no state folder to write to. */
  readonly iops?: number;
  /** Absent until `waveplan bench --redis` measured it. */
  readonly remote?: RemoteCost;
}
