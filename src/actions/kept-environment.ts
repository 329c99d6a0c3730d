type Environment = Readonly<Record<string, string>>;

let kept: Environment | undefined;

/** Keeps the environment of this thread as it is now, before any module of a plan runs here, and returns it. */
export function keepEnvironment(): Environment {
  kept = processEnvironment();
  return kept;
}

/** What commands of this thread inherit: a module that changes `process.env` changes nothing for its neighbours. */
export function keptEnvironment(): Environment {
  return kept ?? keepEnvironment();
}

/** The environment of this process as it is now. */
export function processEnvironment(): Environment {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
