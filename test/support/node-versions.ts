import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './cli.js';

const FOLDER = join(PROJECT, 'test/node-versions');

/** Releases of Node to test under, each with its binary; `npm run node-versions` installs them. */
export function nodeVersions(): readonly { readonly version: string; readonly node: string }[] {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return Object.entries(dependencies).map(([name, spec]) => ({
    version: `v${spec.slice(spec.lastIndexOf('@') + 1)}`,
    node: join(FOLDER, 'node_modules', name, 'bin/node'),
  }));
}

/** Whether all of them are installed. */
export function hasNodeVersions(): boolean {
  return nodeVersions().every(({ node }) => existsSync(node));
}
