// Preloaded by the soak of watch: at SIGUSR2 the process collects its garbage, and tells what it still holds.
const { appendFileSync } = require('node:fs');

process.on('SIGUSR2', () => {
  global.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  appendFileSync(process.env.HELD_FILE, `${JSON.stringify({ heap: (heapUsed + external) / 1e6, resident: rss / 1e6 })}\n`);
});
