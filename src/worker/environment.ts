/** The environment of this process, as expressions and commands see it; every thread of it has the same. */
export function processEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
