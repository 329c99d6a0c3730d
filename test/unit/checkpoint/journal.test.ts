import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../../src/checkpoint/journal.js';
import type { JournalDisk } from '../../../src/checkpoint/journal-disk.js';
import type { EnvironmentProblem } from '../../../src/checkpoint/problem.js';
import { type JournalEntry, readCheckpoints, readWave } from '../../../src/checkpoint/read-journal.js';
import { fromRecordLine } from '../../../src/data/checkpoint-line.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { toRecordLine } from '../../../src/model/record-line.js';
import { problem, temporaryFolder, value } from './repo.js';

function checkpoint(id: string, fields: Partial<Checkpoint> = {}): Checkpoint {
  return {
    wave: 1,
    task_id: id,
    status: 'success',
    results: { exitCode: 0 },
    timestamp: '2026-01-01T12:00:00.000Z',
    agent_id: 'agent_0',
    key: 'k',
    attempt: 1,
    started: 1,
    duration_ms: 2,
    ...fields,
  };
}

/** A disk that can be told to fail, and a clock that is moved by hand. */
function fakes() {
  const written: Record<string, string> = {};
  const calls: string[] = [];
  const timers: { readonly at: number; readonly call: () => void }[] = [];
  let now = 0;
  let open = 0;
  const fail: { write?: string; sync?: string; atomic?: string; most: number; gate?: Promise<void> } = {
    most: Number.POSITIVE_INFINITY,
  };
  const errno = (code: string) => Object.assign(new Error(code), { code });
  let room = Number.POSITIVE_INFINITY;
  const disk: JournalDisk = {
    async openAppend(path) {
      open++;
      return {
        async write(bytes) {
          await fail.gate;
          calls.push('write');
          if (fail.write !== undefined) throw errno(fail.write);
          const count = Math.min(bytes.length, fail.most, room);
          room -= count;
          written[path] = (written[path] ?? '') + bytes.subarray(0, count).toString();
          return count;
        },
        async sync() {
          calls.push('sync');
          if (fail.sync !== undefined) throw errno(fail.sync);
        },
        async close() {
          open--;
        },
      };
    },
    async writeAtomic(path, text) {
      await fail.gate;
      if (fail.atomic !== undefined) throw errno(fail.atomic);
      written[path] = text;
    },
    async syncFolder() {
      calls.push('sync folder');
    },
  };
  const timer = { after: (milliseconds: number, call: () => void) => void timers.push({ at: now + milliseconds, call }) };
  return {
    disk,
    timer,
    written,
    calls,
    fail,
    setRoom: (bytes: number) => {
      room = bytes;
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
      const due = timers.filter(({ at }) => at <= now);
      for (const timer of due) timers.splice(timers.indexOf(timer), 1);
      for (const { call } of due) call();
    },
    openFiles: () => open,
    timers,
  };
}

/** Lets everything that is ready to run do so. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('on a real disk', () => {
  test('appends a line for each checkpoint, wave by wave, and reads it back', async () => {
    const runDir = temporaryFolder();
    const journal = value(await openJournal({ runDir }));
    const odd = checkpoint('b', { results: 'ü\n"\u2028\ud83d', status: 'failure', error: { kind: 'command', message: 'x' } });
    journal.record(checkpoint('a'));
    journal.record(odd);
    journal.record(checkpoint('c', { wave: 2 }));
    value(await journal.closeWave(1));
    expect(value(await readWave(runDir, 1))).toEqual({
      records: 2,
      distinct: 2,
      success: 1,
      failed: 1,
      tornBytes: 0,
      damagedLines: 0,
    });
    value(await journal.close());
    expect(
      readFileSync(join(runDir, 'wave1.ndjson'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => ({ ...JSON.parse(line), crc: undefined })),
    ).toEqual([checkpoint('a'), odd]);
    expect(readFileSync(join(runDir, 'wave2.ndjson'), 'utf8')).toBe(toRecordLine(checkpoint('c', { wave: 2 })));
    // A later opening goes on where the file ends.
    const again = value(await openJournal({ runDir }));
    again.record(checkpoint('d'));
    value(await again.close());
    expect(value(await readWave(runDir, 1)).records).toBe(3);
  });

  test('writes one file per subtask on request, atomically and with a bound', async () => {
    const runDir = temporaryFolder();
    const checkpointFilesDir = join(temporaryFolder(), 'deep/files');
    const journal = value(await openJournal({ runDir, checkpointFilesDir }));
    for (let index = 0; index < 3000; index++) journal.record(checkpoint(`t[${index}]`));
    journal.record(checkpoint('single', { wave: 2 }));
    value(await journal.close());
    const names = readdirSync(checkpointFilesDir);
    expect(names.length).toBe(3001);
    expect(names).toContain('wave1_t-2999_results.json');
    expect(JSON.parse(readFileSync(join(checkpointFilesDir, 'wave2_single_results.json'), 'utf8'))).toEqual(
      checkpoint('single', { wave: 2 }),
    );
    expect(value(await readWave(runDir, 1))).toMatchObject({ records: 3000, distinct: 3000 });
  });

  test('names the errno when it cannot write', async () => {
    const problems: EnvironmentProblem[] = [];
    const journal = value(
      await openJournal({ runDir: join(temporaryFolder(), 'missing'), onBroken: (found) => problems.push(found) }),
    );
    journal.record(checkpoint('a'));
    expect(problem(await journal.close()).message).toContain('ENOENT');
    expect(problems).toEqual([journal.problem]);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(problem(await openJournal({ runDir: '/', checkpointFilesDir: join(file, 'x') })).message).toContain('ENOTDIR');
  });

  test('meets a full disk with its errno', async () => {
    // Writing to /dev/full always fails with ENOSPC; the wave's file is a way there.
    const runDir = temporaryFolder();
    const { symlinkSync, existsSync } = await import('node:fs');
    if (!existsSync('/dev/full')) return;
    symlinkSync('/dev/full', join(runDir, 'wave1.ndjson'));
    const journal = value(await openJournal({ runDir }));
    journal.record(checkpoint('a'));
    const found = problem(await journal.closeWave(1));
    expect(found.message).toContain('ENOSPC');
    expect(found.hint).toContain('space');
  });
});

describe('groups', () => {
  test('one write for what comes within the delay', async () => {
    const fake = fakes();
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    for (const id of ['a', 'b', 'c']) journal.record(checkpoint(id));
    await settle();
    expect(fake.calls).toEqual([]);
    expect(fake.timers.length).toBe(1);
    fake.pass(5);
    await settle();
    expect(fake.calls).toEqual(['sync folder', 'write']);
    value(await journal.closeWave(1));
    expect(fake.calls).toEqual(['sync folder', 'write', 'sync']);
    expect(fake.openFiles()).toBe(0);
  });

  test('a full group does not wait', async () => {
    const fake = fakes();
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    for (let index = 0; index < 256; index++) journal.record(checkpoint(`t[${index}]`));
    await settle();
    expect(fake.calls.filter((call) => call === 'write').length).toBe(1);
    // More than is written at once.
    journal.record(checkpoint('large', { results: 'x'.repeat(70_000) }));
    await settle();
    expect(fake.calls.filter((call) => call === 'write').length).toBe(3);
    value(await journal.close());
  });

  test('are synced a second after the first of them was written, without waiting for another record', async () => {
    const fake = fakes();
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    const syncs = () => fake.calls.filter((call) => call === 'sync').length;
    for (let group = 0; group < 10; group++) {
      journal.record(checkpoint(`t[${group}]`));
      fake.pass(5);
      await settle();
      fake.pass(495);
      await settle();
    }
    expect(fake.calls.filter((call) => call === 'write').length).toBe(10);
    // At most a second after each write, and not after each write.
    expect(syncs()).toBe(4);
    fake.pass(1000);
    await settle();
    expect(syncs()).toBe(5);
    fake.pass(10_000);
    await settle();
    value(await journal.close());
    expect(syncs()).toBe(5);
  });

  test('are synced too where they were written while a sync was under way', async () => {
    const fake = fakes();
    let ended = () => {};
    let unsynced = 0;
    const disk: JournalDisk = {
      ...fake.disk,
      openAppend: async (path) => {
        const file = await fake.disk.openAppend(path);
        return {
          ...file,
          writeNow: (bytes) => {
            unsynced += bytes.length;
            return bytes.length;
          },
          sync: async () => {
            const covered = unsynced;
            await new Promise<void>((resolve) => {
              ended = resolve;
            });
            unsynced -= covered;
          },
        };
      },
    };
    const journal = value(await openJournal({ runDir: '/run', disk, timer: fake.timer }));
    for (const id of ['opens the file', 'at once']) {
      journal.record(checkpoint(id));
      fake.pass(5);
      await settle();
    }
    fake.pass(1000);
    await settle();
    journal.record(checkpoint('while it is synced'));
    fake.pass(5);
    ended();
    await settle();
    expect(unsynced).toBeGreaterThan(0);
    const closed = journal.close();
    for (let turn = 0; turn < 3; turn++) {
      await settle();
      ended();
    }
    value(await closed);
    expect(unsynced).toBe(0);
  });

  test('a power cut costs at most 1.0625 MiB of a wave: about 5,300 small records, or those of a second', async () => {
    // What is written and not synced would be lost.
    let [unsynced, unsyncedBytes, most, mostBytes, syncing] = [0, 0, 0, 0, false];
    const count = (bytes: Buffer) => bytes.reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0);
    const disk: JournalDisk = {
      openAppend: async () => ({
        write: async (bytes) => {
          expect(syncing).toBe(false);
          unsynced += count(bytes);
          unsyncedBytes += bytes.length;
          most = Math.max(most, unsynced);
          mostBytes = Math.max(mostBytes, unsyncedBytes);
          return bytes.length;
        },
        sync: async () => {
          syncing = true;
          await settle();
          syncing = false;
          [unsynced, unsyncedBytes] = [0, 0];
        },
        close: async () => {},
      }),
      writeAtomic: async () => {},
      syncFolder: async () => {},
    };
    const journal = value(await openJournal({ runDir: '/run', disk, timer: { after: () => {} } }));
    const line = Buffer.from(toRecordLine(checkpoint('t[123456]', { results: null, key: '0123456789abcdef' })));
    const block = Buffer.concat(Array.from({ length: 1000 }, () => line));
    for (let index = 0; index < 100; index++) {
      journal.append(1, [block], 1000);
      if (index % 10 === 0) await settle();
    }
    value(await journal.close());
    expect(unsynced).toBe(0);
    expect(mostBytes).toBeGreaterThanOrEqual(1024 * 1024);
    expect(mostBytes).toBeLessThanOrEqual(1024 * 1024 + 64 * 1024);
    expect(most).toBeLessThanOrEqual(Math.ceil(mostBytes / line.length));
    expect(most).toBeLessThanOrEqual(5400);
  });

  test('a record during the closing of its wave is not lost', async () => {
    const fake = fakes();
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    journal.record(checkpoint('a'));
    const closing = journal.closeWave(1);
    journal.record(checkpoint('b'));
    value(await closing);
    value(await journal.close());
    expect(fake.written['/run/wave1.ndjson']?.split('\n').length).toBe(3);
    expect(fake.openFiles()).toBe(0);
  });

  test('a disk that lags holds whoever asks', async () => {
    const fake = fakes();
    let release = () => {};
    fake.fail.gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    let ready = false;
    for (let index = 0; index < 20; index++) journal.record(checkpoint(`t[${index}]`, { results: 'x'.repeat(1024 * 1024) }));
    const waiting = journal.caughtUp().then(() => {
      ready = true;
    });
    await settle();
    expect(ready).toBe(false);
    release();
    await waiting;
    value(await journal.close());
    await journal.caughtUp();
  });
});

describe('a journal breaks, once and quietly', () => {
  test.each(['ENOSPC', 'EIO', 'EROFS'])('when a write fails with %s', async (code) => {
    const fake = fakes();
    const problems: EnvironmentProblem[] = [];
    const journal = value(await openJournal({ runDir: '/run', ...fake, onBroken: (found) => problems.push(found) }));
    journal.record(checkpoint('a'));
    fake.pass(5);
    await settle();
    expect(journal.problem).toBeUndefined();
    fake.fail.write = code;
    journal.record(checkpoint('b'));
    journal.record(checkpoint('c', { wave: 2 }));
    fake.pass(5);
    await settle();
    expect(problems.length).toBe(1);
    expect(problems[0]?.message).toContain(code);
    delete fake.fail.write;
    journal.record(checkpoint('d'));
    fake.pass(5);
    expect(problem(await journal.closeWave(1))).toEqual(problems[0]);
    expect(problem(await journal.close())).toEqual(problems[0]);
    expect(fake.openFiles()).toBe(0);
    expect(fake.written['/run/wave1.ndjson']).toBe(toRecordLine(checkpoint('a')));
  });

  test('when a sync fails', async () => {
    const fake = fakes();
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    journal.record(checkpoint('a'));
    fake.fail.sync = 'EIO';
    expect(problem(await journal.closeWave(1)).message).toContain('EIO');
    expect(fake.openFiles()).toBe(0);
  });

  test('when a checkpoint file fails', async () => {
    const fake = fakes();
    fake.fail.atomic = 'ENOSPC';
    const journal = value(await openJournal({ runDir: '/run', ...fake, checkpointFilesDir: temporaryFolder() }));
    for (let index = 0; index < 100; index++) journal.record(checkpoint(`t[${index}]`));
    expect(problem(await journal.closeWave(1)).message).toContain('ENOSPC');
  });

  test('when writes come short and then take nothing', async () => {
    const fake = fakes();
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    fake.setRoom(10);
    journal.record(checkpoint('a'));
    expect(problem(await journal.closeWave(1)).message).toContain('ENOSPC');
    expect(fake.written['/run/wave1.ndjson']?.length).toBe(10);
  });

  test('but short writes alone are completed', async () => {
    const fake = fakes();
    fake.fail.most = 7;
    const journal = value(await openJournal({ runDir: '/run', ...fake }));
    journal.record(checkpoint('ü'));
    value(await journal.closeWave(1));
    expect(fake.calls.filter((call) => call === 'write').length).toBeGreaterThan(10);
  });
});

describe('reading', () => {
  const lines = [checkpoint('a'), checkpoint('b[0]', { status: 'failure' }), checkpoint('b[1]'), checkpoint('b[0]')].map((one) =>
    toRecordLine(one),
  );

  async function entries(text: string | Buffer): Promise<JournalEntry[]> {
    const file = join(temporaryFolder(), 'wave1.ndjson');
    writeFileSync(file, text);
    const found: JournalEntry[] = [];
    for await (const entry of readCheckpoints(file)) found.push(entry);
    return found;
  }

  test('counts the last outcome of each subtask', async () => {
    const runDir = temporaryFolder();
    writeFileSync(join(runDir, 'wave1.ndjson'), lines.join(''));
    expect(value(await readWave(runDir, 1))).toEqual({
      records: 4,
      distinct: 3,
      success: 3,
      failed: 0,
      tornBytes: 0,
      damagedLines: 0,
    });
    writeFileSync(join(runDir, 'wave1.ndjson'), lines.slice(0, 3).join(''));
    expect(value(await readWave(runDir, 1))).toMatchObject({ records: 3, distinct: 3, success: 2, failed: 1 });
  });

  test('tells names with brackets and large numbers apart', async () => {
    const runDir = temporaryFolder();
    const ids = ['t[1]', 't[01]', 't', 't[1][1]', 't[999999999]', 't[99999999999999]', 't[70]', 'u[1]', '[1]', 't[1]'];
    writeFileSync(join(runDir, 'wave1.ndjson'), ids.map((id) => toRecordLine(checkpoint(id))).join(''));
    expect(value(await readWave(runDir, 1))).toMatchObject({ records: 10, distinct: 9, success: 9 });
  });

  test('cut at every byte, it loses only the last record', async () => {
    const runDir = temporaryFolder();
    const file = join(runDir, 'wave1.ndjson');
    const whole = lines.slice(0, 3).join('');
    const kept = lines.slice(0, 2).join('').length;
    for (let size = whole.length; size >= kept; size--) {
      writeFileSync(file, whole);
      truncateSync(file, size);
      const tally = value(await readWave(runDir, 1));
      expect(tally).toMatchObject(size === whole.length ? { records: 3, tornBytes: 0 } : { records: 2, tornBytes: size - kept });
    }
  });

  test.each([
    ['zeros', '\0'.repeat(5000)],
    ['zeros with a line end', '\0\0\n'],
    ['half a record with a line end', '{"wave":1,\n'],
    ['a record of something else', '{"wave":1}\n'],
    ['several bad lines', 'x\ny\nz'],
    ['JSON that is no object', '12\n'],
  ])('takes %s at the end for a torn tail', async (_name, tail) => {
    const found = await entries(lines.join('') + tail);
    expect(found.length).toBe(5);
    expect(found.at(-1)).toEqual({ kind: 'torn', bytes: tail.length });
  });

  test('takes a line in which any one bit is not as it was written for damage', async () => {
    const line = Buffer.from(toRecordLine(checkpoint('t[3]', { results: { n: 1, text: 'ü' } })));
    const whole = line.subarray(0, -1);
    expect(fromRecordLine(whole)).toEqual(checkpoint('t[3]', { results: { n: 1, text: 'ü' } }));
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(fromRecordLine(flipped)).toBeUndefined();
    }
  });

  test('tells damage in the middle from a torn tail', async () => {
    const found = await entries(`${lines[0]}{"wave":1,"task_\n${lines[1]}`);
    expect(found.map((entry) => entry.kind)).toEqual(['checkpoint', 'damaged', 'checkpoint']);
    expect(found[1]).toEqual({ kind: 'damaged', line: 2, bytes: 17 });
  });

  test('a file that is missing or empty holds none', async () => {
    expect(await entries('')).toEqual([]);
    expect(value(await readWave(temporaryFolder(), 7))).toMatchObject({ records: 0, distinct: 0 });
  });

  test('a file that cannot be read is a problem', async () => {
    const runDir = temporaryFolder();
    mkdirSync(join(runDir, 'wave1.ndjson'));
    expect(problem(await readWave(runDir, 1)).message).toContain('EISDIR');
  });

  test('lines across the pieces that a file is read in', async () => {
    const runDir = temporaryFolder();
    for (let index = 0; index < 5; index++) {
      appendFileSync(join(runDir, 'wave1.ndjson'), toRecordLine(checkpoint(`t[${index}]`, { results: 'ü€'.repeat(100_000) })));
    }
    expect(value(await readWave(runDir, 1))).toMatchObject({ records: 5, damagedLines: 0, tornBytes: 0 });
  });

  test('any bytes are read without an exception, and every byte is accounted for', async () => {
    const piece = fc.oneof(fc.constantFrom(...lines), fc.constantFrom('\n', '{', '"', '\0', 'x\n'), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = Buffer.from(pieces.join(''));
        const found = await entries(text);
        const whole = found.filter((entry) => entry.kind === 'checkpoint').length;
        const bad = found.reduce((sum, entry) => sum + (entry.kind === 'damaged' || entry.kind === 'torn' ? entry.bytes : 0), 0);
        expect(bad <= text.length && (whole > 0 || bad === text.length)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
