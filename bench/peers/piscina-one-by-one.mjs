// The peer: raw Piscina, one `run()` for each task, with its defaults. Prints the milliseconds of the tasks alone.
import { Piscina } from 'piscina';

const [file, count] = process.argv.slice(2);
const pool = new Piscina({ filename: file, minThreads: 2, maxThreads: 2 });
await Promise.all([pool.run(0), pool.run(0)]);
const begun = performance.now();
const runs = [];
for (let i = 0; i < Number(count); i++) runs.push(pool.run(i));
await Promise.all(runs);
console.log(performance.now() - begun);
await pool.close();
