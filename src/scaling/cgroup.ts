import type { SystemFiles } from './system-files.js';

/** What control groups leave to this process. Absent: no limit. */
export interface CgroupLimits {
  readonly cores: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** A hierarchy that is mounted: all of version 2, or one controller of version 1. */
interface Mount {
  /** The group that the mount point shows: `/`, but in a container often the container's own. */
  readonly root: string;
  readonly point: string;
}

/**
 * The least of the limits of this process's own group and of all groups above it, in version 2 and version 1: a group has
 * no more than the groups that it is in. See cgroups(7) and proc(5).
 */
export function readCgroupLimits(read: SystemFiles): CgroupLimits {
  const cores: number[] = [];
  const memory: number[] = [];
  for (const folder of groupFolders(read, undefined)) {
    cores.push(...quotaOf(read(`${folder}/cpu.max`)?.split(' ')));
    memory.push(...limitOf(read(`${folder}/memory.max`)));
  }
  for (const folder of groupFolders(read, 'cpu')) {
    cores.push(...quotaOf([read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)]));
  }
  for (const folder of groupFolders(read, 'memory')) memory.push(...limitOf(read(`${folder}/memory.limit_in_bytes`)));
  return { cores: least(cores), memoryBytes: least(memory) };
}

/**
 * The processor time that this process's own group has used, in seconds, as a meter to be read again and again; `undefined`
 * where the system keeps none. Unlike a process's own times it knows of children that still run, and finely: theirs are
 * rounded down to hundredths of a second in /proc, each by itself.
 */
export function groupCpuMeter(read: SystemFiles): (() => number) | undefined {
  const meters = [
    ...groupFolders(read, undefined).map((folder) => () => {
      const usage = /^usage_usec (\d+)$/m.exec(read(`${folder}/cpu.stat`) ?? '')?.[1];
      return usage === undefined ? undefined : Number(usage) / 1e6;
    }),
    ...groupFolders(read, 'cpuacct').map((folder) => () => {
      const usage = read(`${folder}/cpuacct.usage`);
      return usage === undefined ? undefined : Number(usage) / 1e9;
    }),
  ];
  const meter = meters.findLast((seconds) => Number.isFinite(seconds()));
  return meter === undefined ? undefined : () => meter() ?? 0;
}

/** The folders of the process's group and of those above it, in the hierarchy of a controller, or in version 2's. */
function groupFolders(read: SystemFiles, controller: string | undefined): readonly string[] {
  const group = groupOf(read, controller);
  const mount = mountOf(read, controller);
  if (group === undefined || mount === undefined) return [];
  const steps = withoutRoot(group, mount.root)
    .split('/')
    .filter((step) => step !== '');
  return [mount.point, ...steps.map((_, i) => [mount.point, ...steps.slice(0, i + 1)].join('/'))];
}

/** `/proc/self/cgroup`: lines of `id:controllers:path`; version 2 has the id 0 and no controllers. */
function groupOf(read: SystemFiles, controller: string | undefined): string | undefined {
  for (const line of linesOf(read('/proc/self/cgroup'))) {
    const [id, controllers = '', ...path] = line.split(':');
    const found = controller === undefined ? id === '0' && controllers === '' : controllers.split(',').includes(controller);
    if (found) return path.join(':');
  }
  return undefined;
}

/** `/proc/self/mountinfo`: `id parent device root point options … - type source options`. */
function mountOf(read: SystemFiles, controller: string | undefined): Mount | undefined {
  for (const line of linesOf(read('/proc/self/mountinfo'))) {
    const [front = '', back = ''] = line.split(' - ');
    const [, , , root, point] = front.split(' ');
    const [type, , options = ''] = back.split(' ');
    const found = controller === undefined ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller);
    if (found && root !== undefined && point !== undefined) return { root, point };
  }
  return undefined;
}

/** A container sees the group's path as the host does, but only the part of the tree below the mount's root. */
function withoutRoot(group: string, root: string): string {
  if (root === '/') return group;
  return group === root || group.startsWith(`${root}/`) ? group.slice(root.length) : '';
}

/** Cores by quota and period; none where the quota is `max` or -1. */
function quotaOf([quota, period]: readonly (string | undefined)[] = []): readonly number[] {
  const cores = Number(quota) / Number(period);
  return cores > 0 && Number.isFinite(cores) ? [cores] : [];
}

function limitOf(text: string | undefined): readonly number[] {
  const bytes = Number(text);
  return bytes > 0 && Number.isFinite(bytes) ? [bytes] : [];
}

function least(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => Math.min(a, b));
}

function linesOf(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n');
}
