/** The rules that the scaling decision goes by; the methodology file holds them. */
export interface ScalingRules {
  /** File operations a second. */
  readonly iops: number;
  /** Open connections. */
  readonly connections: number;
  readonly computationAgentsPerCore: number;
  readonly memoryPerAgentBytes: number;
  /** Subtasks below so many minutes may spend at most this share of the sequential time on coordination. */
  readonly microTask: { readonly belowMinutes: number; readonly overheadShare: number };
  readonly longTask: { readonly aboveMinutes: number };
  /** Time saved over overhead, above which a decision is in the band. */
  readonly roiBands: { readonly excellent: number; readonly good: number; readonly marginal: number };
  /** How much longer than the best predicted time a smaller count may take, as a share. */
  readonly fitTolerance: number;
}

/** Declared limits of the surroundings; what is absent falls back to the rules. */
export interface ScalingLimits {
  readonly ratePerMinute: number | undefined;
  readonly connections: number | undefined;
  readonly iops: number | undefined;
  readonly memoryPerAgentBytes: number | undefined;
}
