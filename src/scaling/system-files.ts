import { readFileSync } from 'node:fs';

/** The files by which a system tells of itself: the text of one, without white space around it; `undefined` where it is not there. */
export type SystemFiles = (path: string) => string | undefined;

/** Those of this machine. */
export const systemFiles: SystemFiles = (path) => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};
