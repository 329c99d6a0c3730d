/** When a JPEG was taken by its Exif data, as `2019-12-31`; `undefined` where it does not say. */
export function exifDate(jpeg: Buffer): string | undefined {
  const tiff = exifSegment(jpeg);
  if (tiff === undefined || tiff.length < 8) return undefined;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number) => (at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number) => (at + 4 > tiff.length ? 0 : little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const entryOf = (directory: number, tag: number): number | undefined => {
    const count = u16(directory);
    for (let at = directory + 2; at < directory + 2 + 12 * count && at + 12 <= tiff.length; at += 12) {
      if (u16(at) === tag) return u32(at + 8);
    }
    return undefined;
  };
  const first = u32(4);
  const exif = entryOf(first, EXIF_DIRECTORY);
  const places = [exif === undefined ? undefined : entryOf(exif, DATE_TIME_ORIGINAL), entryOf(first, DATE_TIME)];
  for (const place of places) {
    const date = place === undefined ? null : /^(\d{4}):(\d{2}):(\d{2}) /.exec(tiff.toString('latin1', place, place + 20));
    if (date !== null && date[1] !== '0000') return `${date[1]}-${date[2]}-${date[3]}`;
  }
  return undefined;
}

const EXIF_DIRECTORY = 0x8769;
const DATE_TIME_ORIGINAL = 0x9003;
const DATE_TIME = 0x0132;

/** The TIFF data in the first Exif segment. */
function exifSegment(jpeg: Buffer): Buffer | undefined {
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const marker = jpeg[at + 1];
    const length = jpeg.readUInt16BE(at + 2);
    if (marker === 0xe1 && jpeg.toString('latin1', at + 4, at + 10) === 'Exif\0\0')
      return jpeg.subarray(at + 10, at + 2 + length);
    // Behind the start of the scan there is image data only.
    if (marker === 0xda) return undefined;
    at += 2 + length;
  }
  return undefined;
}
