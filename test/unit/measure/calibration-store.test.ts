import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  calibrationFile,
  lookUpCalibration,
  readCalibration,
  writeCalibration,
} from '../../../src/checkpoint/calibration-store.js';
import { calibration, FINGERPRINT } from './calibrations.js';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'waveplan-test-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const SCHEMA = JSON.parse(readFileSync(new URL('../../../schemas/calibration.schema.json', import.meta.url), 'utf8'));

describe('the calibration store', () => {
  it('gives back what was stored, by the published schema', async () => {
    expect(await writeCalibration(stateDir, calibration())).toEqual({ ok: true, value: undefined });
    expect(await readCalibration(stateDir, FINGERPRINT)).toEqual(calibration());
    const stored: unknown = JSON.parse(readFileSync(calibrationFile(stateDir), 'utf8'));
    expect(new Ajv({ strictTypes: false }).validate(SCHEMA, stored)).toBe(true);
    expect(readdirSync(stateDir)).toEqual(['calibration.json']);
  });

  it('keeps a calibration without the figures that a quick one may lack', async () => {
    const { iops: _, turnaroundSeconds: __, ...rest } = calibration({ method: 'quick' });
    await writeCalibration(stateDir, rest);
    expect(await readCalibration(stateDir, FINGERPRINT)).toEqual(rest);
  });

  it.each([
    ['processor', { cpu: 'Example 9001' }],
    ['number of cores', { cores: 1 }],
    ['memory', { memoryBytes: 8e9 }],
    ['architecture', { arch: 'arm64' }],
    ['Node', { node: 'v22.0.0' }],
    ['waveplan', { waveplan: '0.2.0' }],
  ])('never gives one of another %s', async (_, other) => {
    await writeCalibration(stateDir, calibration());
    expect(await readCalibration(stateDir, { ...FINGERPRINT, ...other })).toBeUndefined();
  });

  it('replaces the one of the same machine and keeps the others', async () => {
    const other = { ...FINGERPRINT, cores: 1 };
    await writeCalibration(stateDir, calibration({ barrierSeconds: 1 }));
    await writeCalibration(stateDir, calibration({ machine: other, barrierSeconds: 2 }));
    await writeCalibration(stateDir, calibration({ barrierSeconds: 3 }));
    expect((await readCalibration(stateDir, FINGERPRINT))?.barrierSeconds).toBe(3);
    expect((await readCalibration(stateDir, other))?.barrierSeconds).toBe(2);
    expect(JSON.parse(readFileSync(calibrationFile(stateDir), 'utf8')).calibrations).toHaveLength(2);
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, 200)],
    ['empty', () => ''],
    ['of another shape', () => '[]'],
    ['of a later version', (text: string) => text.replace('"version": 1', '"version": 2')],
    ['with a figure below nothing', (text: string) => text.replace('0.0009', '-0.0009')],
    ['with a figure that is text', (text: string) => text.replace('4700', '"many"')],
  ])('takes a file that is %s for absent, says so, and replaces it', async (_, damage) => {
    await writeCalibration(stateDir, calibration());
    const file = calibrationFile(stateDir);
    writeFileSync(file, damage(readFileSync(file, 'utf8')));
    const found = await lookUpCalibration(stateDir, FINGERPRINT);
    expect(found.calibration).toBeUndefined();
    expect(found.warning).toContain(`${file} is damaged`);
    await writeCalibration(stateDir, calibration());
    expect(await lookUpCalibration(stateDir, FINGERPRINT)).toEqual({ calibration: calibration(), warning: undefined });
  });

  it('has no warning where nothing was stored, not even a folder', async () => {
    const nothing = { calibration: undefined, warning: undefined };
    expect(await lookUpCalibration(stateDir, FINGERPRINT)).toEqual(nothing);
    expect(await lookUpCalibration(join(stateDir, 'missing'), FINGERPRINT)).toEqual(nothing);
  });

  it('tells what the system says where the file cannot be read or written', async () => {
    mkdirSync(calibrationFile(stateDir));
    expect((await lookUpCalibration(stateDir, FINGERPRINT)).warning).toContain('EISDIR');
    const stored = await writeCalibration(stateDir, calibration());
    expect(stored.ok ? '' : stored.error.message).toMatch(/cannot write .*calibration\.json: E/);
  });
});
