/**
 * Makes a folder with a git repository of small JPEG files under media/, named as cameras and people name them:
 *
 *   npx jiti plans/make/media.ts /tmp/photos --count 100 --seed 1
 *
 * Each is a valid image of one pixel. Most tell their date in Exif, in one of two fields; some only by their time stamp.
 */
import { utimesSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { NewFolder, randomOf } from './repository.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const [target] = positionals;
if (target === undefined) throw new Error('say which folder to make');

const CATEGORIES = ['Animals', 'city walks', 'Family (2019)', 'mountains', 'Räume', 'sea'];
const PIXEL = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=',
  'base64',
);

const random = randomOf(Number(values.seed));
const pick = <Item>(list: readonly Item[]): Item => list[Math.floor(random() * list.length)] as Item;
const folder = new NewFolder(target);
folder.write('README.md', 'Photographs.\n');
for (let index = 0; index < Number(values.count); index += 1) {
  const taken = new Date(
    Date.UTC(2010 + Math.floor(random() * 15), Math.floor(random() * 12), 1 + Math.floor(random() * 28), 12),
  );
  const tells = pick(['original', 'original', 'changed', 'nothing'] as const);
  const number = String(index).padStart(5, '0');
  const name = pick([
    `IMG_${number}.JPG`,
    `DSC${number}.jpg`,
    `my photo (${number}).jpeg`,
    `-rf ${number}.jpg`,
    `$(date) ${number}.jpg`,
  ]);
  const path = folder.write(
    `media/${pick(CATEGORIES)}/${name}`,
    image(index, tells === 'nothing' ? undefined : { taken, tells }),
  );
  utimesSync(path, taken, taken);
}
folder.commit('The photographs as they came');

/** A segment of a JPEG file. */
function segment(marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

function image(index: number, date: { readonly taken: Date; readonly tells: 'original' | 'changed' } | undefined): Buffer {
  const comment = segment(0xfe, Buffer.from(`photograph ${index}`));
  const exif = date === undefined ? Buffer.alloc(0) : segment(0xe1, exifOf(date.taken, date.tells));
  return Buffer.concat([PIXEL.subarray(0, 2), exif, comment, PIXEL.subarray(2)]);
}

/** Exif with one date: DateTimeOriginal in a directory of its own, or DateTime in the first. */
function exifOf(taken: Date, field: 'original' | 'changed'): Buffer {
  const text = Buffer.from(`${taken.toISOString().slice(0, 19).replaceAll('-', ':').replace('T', ' ')}\0`);
  const entry = (tag: number, type: number, count: number, value: number) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(count, 4);
    bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  const directory = (only: Buffer) => Buffer.concat([Buffer.from([1, 0]), only, Buffer.alloc(4)]);
  const head = Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1');
  if (field === 'changed') return Buffer.concat([head, directory(entry(0x0132, 2, 20, 26)), text]);
  return Buffer.concat([head, directory(entry(0x8769, 4, 1, 26)), directory(entry(0x9003, 2, 20, 44)), text]);
}
