import fc from 'fast-check';

// The suite guards main, so it tries the same cases each time; `npm run fuzz` looks for new ones.
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 20_261_125) });
