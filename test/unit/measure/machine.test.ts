import { describe, expect, it } from 'vitest';
import { addressSpaceLeft, fingerprintOf, readMachine } from '../../../src/scaling/machine.js';

const BUILT_IN = { cores: 8, memoryBytes: 64e9 };
const V2_MOUNT = '31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw';
const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max address space         unlimited            unlimited            bytes
Max open files            1024                 20000                files`;

const machine = (files: Readonly<Record<string, string>>, builtIn = BUILT_IN) =>
  readMachine((path) => (Object.hasOwn(files, path) ? files[path] : undefined), builtIn);

describe('readMachine', () => {
  it('has what is built in where nothing bounds it', () => {
    expect(machine({})).toEqual(BUILT_IN);
  });

  it('follows the affinity', () => expect(machine({}, { ...BUILT_IN, cores: 1 }).cores).toBe(1));

  it('knows the soft limit of open files', () => expect(machine({ '/proc/self/limits': LIMITS }).openFiles).toBe(1024));

  it('has no limit of open files where that is unlimited', () => {
    expect(machine({ '/proc/self/limits': LIMITS.replace('1024 ', 'unlimited ') })).toEqual(BUILT_IN);
  });

  it('has no more memory than address space', () => {
    const limits = LIMITS.replace('unlimited            unlimited', '4000000000           unlimited ');
    expect(machine({ '/proc/self/limits': limits }).memoryBytes).toBe(4e9);
  });

  const v2 = {
    '/proc/self/cgroup': '0::/work.slice/job',
    '/proc/self/mountinfo': V2_MOUNT,
    '/sys/fs/cgroup/work.slice/job/cpu.max': 'max 100000',
    '/sys/fs/cgroup/work.slice/job/memory.max': '8000000000',
  };

  it("reads its own group's limits (version 2)", () => {
    expect(machine({ ...v2, '/sys/fs/cgroup/work.slice/job/cpu.max': '250000 100000' })).toEqual({ cores: 3, memoryBytes: 8e9 });
  });

  it("is bound by the groups above its own, and by no other's", () => {
    const above = {
      '/sys/fs/cgroup/work.slice/cpu.max': '200000 100000',
      '/sys/fs/cgroup/work.slice/memory.max': '2000000000',
      '/sys/fs/cgroup/other.slice/memory.max': '1000',
    };
    expect(machine({ ...v2, ...above })).toEqual({ cores: 2, memoryBytes: 2e9 });
  });

  it('has a core at least, and no more than there are', () => {
    expect(machine({ ...v2, '/sys/fs/cgroup/work.slice/job/cpu.max': '10000 100000' }).cores).toBe(1);
    expect(machine({ ...v2, '/sys/fs/cgroup/work.slice/job/cpu.max': '6400000 100000' }).cores).toBe(8);
  });

  it('reads version 1, controller by controller', () => {
    const files = {
      '/proc/self/cgroup': '4:memory:/box\n2:cpu,cpuacct:/box/inner\n0::/',
      '/proc/self/mountinfo': [
        '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
        '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      ].join('\n'),
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/cpu,cpuacct/box/inner/cpu.cfs_quota_us': '400000',
      '/sys/fs/cgroup/cpu,cpuacct/box/inner/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': '3000000000',
    };
    expect(machine(files)).toEqual({ cores: 4, memoryBytes: 3e9 });
  });

  it('finds its group where a container shows only its own part of the tree', () => {
    const files = {
      '/proc/self/cgroup': '4:memory:/docker/abc/inner',
      '/proc/self/mountinfo': '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '5000000000',
      '/sys/fs/cgroup/memory/inner/memory.limit_in_bytes': '1000000000',
    };
    expect(machine(files).memoryBytes).toBe(1e9);
    expect(machine({ ...files, '/proc/self/cgroup': '4:memory:/docker/abc' }).memoryBytes).toBe(5e9);
  });
});

it('fingerprintOf tells this Node on this share of this machine', () => {
  const fingerprint = fingerprintOf({ cores: 3, memoryBytes: 2e9, openFiles: 100 }, '1.2.3');
  expect(fingerprint).toMatchObject({ cores: 3, memoryBytes: 2e9, node: process.version, arch: process.arch, waveplan: '1.2.3' });
  expect(fingerprint.cpu).not.toBe('');
});

describe('addressSpaceLeft', () => {
  const left = (limits: string) =>
    addressSpaceLeft((path) => ({ '/proc/self/limits': limits, '/proc/self/status': 'Name:\tnode\nVmSize:\t 1000000 kB' })[path]);

  it('is what the limit leaves', () => {
    expect(left('Max address space         3024000000           unlimited            bytes')).toBe(2e9);
  });

  it('is not known where there is no limit', () => expect(left(LIMITS)).toBeUndefined());
});
