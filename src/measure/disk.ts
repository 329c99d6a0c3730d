import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Journal, openJournal } from '../checkpoint/journal.js';
import { readWave } from '../checkpoint/read-journal.js';
import type { Checkpoint } from '../model/checkpoint.js';

/** Checkpoints of a wave whose barrier is measured. */
const BARRIER_RECORDS = 64;
/** Checkpoints that are appended for one sample: two groups of the journal. */
const APPEND_RECORDS = 512;
/** Bytes of a small write: a block of most file systems. */
const SMALL_BYTES = 4096;

/** The disk gave an error while it was measured, which says more than a figure would. */
export class DiskProbeError extends Error {}

/** A folder for measurements, which is removed when they are done. */
export class DiskProbe {
  readonly folder: string;
  #nextWave = 2;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** In the state folder, which must exist, under a name that is no state; else in the system's temporary folder. */
  static async create(stateDir: string | undefined): Promise<DiskProbe> {
    if (stateDir === undefined) return new DiskProbe(await mkdtemp(join(tmpdir(), 'waveplan-measure-')));
    const folder = join(stateDir, `.measure-${randomBytes(6).toString('hex')}.tmp`);
    await mkdir(folder);
    return new DiskProbe(folder);
  }

  /** A journal that writes here, as a run's does. */
  async journal(): Promise<Journal> {
    const journal = await openJournal({ runDir: this.folder });
    if (!journal.ok) throw new DiskProbeError(journal.error.message);
    return journal.value;
  }

  /** Seconds between the last subtask of a wave and the first of the next: its checkpoints synced and read back. */
  async barrier(): Promise<number> {
    const journal = await this.journal();
    const wave = this.#nextWave++;
    for (let i = 0; i < BARRIER_RECORDS; i++) journal.record(sampleCheckpoint(wave, i));
    const begun = performance.now();
    const closed = await journal.closeWave(wave);
    const read = closed.ok ? await readWave(this.folder, wave) : closed;
    const seconds = (performance.now() - begun) / 1000;
    if (!read.ok) throw new DiskProbeError(read.error.message);
    if (read.value.distinct !== BARRIER_RECORDS) throw new Error('Internal error: the barrier lost checkpoints');
    await rm(join(this.folder, `wave${wave}.ndjson`));
    return seconds;
  }

  /** Seconds of the coordinator and the disk for one checkpoint among many, without the sync at the wave's end. */
  async append(): Promise<number> {
    const handle = await open(join(this.folder, 'append'), 'a');
    try {
      const journal = await openJournal({
        runDir: this.folder,
        disk: {
          openAppend: async () => ({
            write: async (bytes) => (await handle.write(bytes, 0, bytes.length)).bytesWritten,
            sync: async () => {},
            close: async () => {},
          }),
          writeAtomic: async () => {},
          syncFolder: async () => {},
        },
      });
      if (!journal.ok) throw new DiskProbeError(journal.error.message);
      const begun = performance.now();
      for (let i = 0; i < APPEND_RECORDS; i++) journal.value.record(sampleCheckpoint(1, i));
      const closed = await journal.value.close();
      const seconds = (performance.now() - begun) / 1000;
      if (!closed.ok) throw new DiskProbeError(closed.error.message);
      return seconds / APPEND_RECORDS;
    } finally {
      await handle.close();
      await rm(join(this.folder, 'append'), { force: true });
    }
  }

  /** Seconds that each of a few small writes takes, one after another, each synced to the disk. */
  async syncedWrites(count: number): Promise<readonly number[]> {
    const handle = await open(join(this.folder, 'writes'), 'w');
    const bytes = Buffer.alloc(SMALL_BYTES, '.');
    const seconds: number[] = [];
    try {
      for (let i = 0; i < count; i++) {
        const begun = performance.now();
        await handle.write(bytes, 0, bytes.length);
        await handle.datasync();
        seconds.push((performance.now() - begun) / 1000);
      }
    } finally {
      await handle.close();
    }
    return seconds;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function sampleCheckpoint(wave: number, i: number): Checkpoint {
  return {
    wave,
    task_id: `measure[${i}]`,
    status: 'success',
    results: { exitCode: 0, stdout: 'a line of output\n', stderr: '' },
    timestamp: '2026-01-01T00:00:00.000Z',
    agent_id: 'agent_1',
    key: '0123456789abcdef0123456789abcdef',
    attempt: 1,
    started: 1_767_225_600_000,
    duration_ms: 1.5,
  };
}
