import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below a folder with its content, by path; without what git and waveplan keep. */
export function filesOf(folder: string): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const walk = (below: string): void => {
    for (const name of readdirSync(join(folder, below)).sort()) {
      if (below === '' && (name === '.git' || name === '.waveplan')) continue;
      const path = below === '' ? name : `${below}/${name}`;
      if (lstatSync(join(folder, path)).isDirectory()) walk(path);
      else files.set(path, readFileSync(join(folder, path)));
    }
  };
  walk('');
  return files;
}

/** Paths of which one of the two has no file, or another one. */
export function differences(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => {
    const [one, other] = [a.get(path), b.get(path)];
    return one === undefined || other === undefined || !one.equals(other);
  });
}
