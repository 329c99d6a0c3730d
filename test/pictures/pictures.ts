/**
 * Makes the README's pictures again, each from a run of the built command in a pseudo-terminal.
 *
 * npm run pictures [-- NAME…]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../support/cli.js';
import { firstPlan } from './first-plan.js';
import { scenes } from './scenes.js';
import { takePicture } from './take.js';

const folder = join(PROJECT, '.pictures');
mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
const all = scenes(firstPlan(readFileSync(join(PROJECT, 'README.md'), 'utf8')));
const unknown = wanted.filter((name) => all.every((scene) => scene.name !== name));
if (unknown.length > 0) throw new Error(`no picture is called ${unknown.join(', ')}: ${all.map(({ name }) => name).join(', ')}`);
for (const scene of all.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const svg = await takePicture(scene);
  writeFileSync(join(folder, `${scene.name}.svg`), svg);
  process.stdout.write(`.pictures/${scene.name}.svg ${svg.length} bytes\n`);
}
