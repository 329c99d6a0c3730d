import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    // The suite is sized for two cores; the third worker is for tests that wait for processes and for other machines.
    maxWorkers: 3,
    // A machine that does much else is no failure: a test that waits for something says itself what did not come.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
