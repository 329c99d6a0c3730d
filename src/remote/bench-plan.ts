import { fileURLToPath } from 'node:url';

/** The folder of waveplan's own files, with the plan that a bench lets workers run. */
export const BENCH_FOLDER = fileURLToPath(new URL('../../schemas/', import.meta.url));
/** That plan: its tasks do nothing. Every worker has it, whatever is in its checkout. */
export const BENCH_PLAN = `${BENCH_FOLDER}bench.yaml`;
