import { ftruncateSync, writeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CaptureFile, MOST_OUTPUT_BYTES } from '../../../src/actions/capture-file.js';
import { Tail } from '../../../src/actions/tail.js';

let capture: CaptureFile;
beforeEach(() => {
  capture = new CaptureFile();
});
afterEach(() => capture.close());

/** Makes the file that large without writing so much. */
function grow(bytes: number): void {
  ftruncateSync(capture.fd, bytes);
}

describe('CaptureFile', () => {
  it('counts exactly what a command wrote that has ended', () => {
    const tail = new Tail(8);
    grow(MOST_OUTPUT_BYTES * 2);
    writeSync(capture.fd, 'the end');
    capture.read(tail);
    expect(tail.dropped).toBe(MOST_OUTPUT_BYTES * 2 + 'the end'.length - 8);
    expect(tail.text()).toMatch(/^\[134217727 bytes cut: .*\]\n\0the end$/);
  });

  it('says that it counts from below what it cut while the command was writing', () => {
    const tail = new Tail(8);
    grow(MOST_OUTPUT_BYTES + 1);
    capture.bound(tail);
    writeSync(capture.fd, 'the end');
    capture.read(tail);
    expect(tail.text()).toMatch(/^\[at least 67108864 bytes cut: .*\]\n\0the end$/);
  });

  it('leaves output alone that is not too large', () => {
    const tail = new Tail(8);
    grow(MOST_OUTPUT_BYTES);
    capture.bound(tail);
    expect([tail.dropped, tail.text()]).toEqual([0, '']);
  });

  it('starts anew with each command', () => {
    writeSync(capture.fd, 'one');
    capture.read(new Tail(8));
    writeSync(capture.fd, 'two');
    const tail = new Tail(8);
    capture.read(tail);
    expect(tail.text()).toBe('two');
  });
});
