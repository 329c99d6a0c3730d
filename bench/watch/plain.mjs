// The plain script that `watch` is measured against: chokidar, and the same function on the file that changed.
import { watch } from 'chokidar';
import upper from './upper.mjs';

const [folder] = process.argv.slice(2);
process.chdir(folder);
const watcher = watch('src', { ignoreInitial: true });
watcher.on('ready', () => process.stdout.write('ready\n'));
watcher.on('change', (path) => {
  upper({ file: path });
  process.stdout.write('done\n');
});
