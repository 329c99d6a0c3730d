import { createHash } from 'node:crypto';

/** A user as the old API has it. */
export interface OldUser {
  readonly id: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly mail: string;
  /** Day, month and year: 31.12.2019. */
  readonly joined: string;
  readonly flags: string;
}

/** A number from 0 up to 1 that depends on nothing but seed and name. */
export function chance(seed: number, name: string): number {
  return createHash('sha256').update(`${seed} ${name}`).digest().readUInt32BE(0) / 2 ** 32;
}

const FIRST = ['Ada', 'Björk', 'Chloé', 'Dmitri', 'Ève', 'Fatima', 'Gustavo', 'Hana', 'Íñigo', "J'Quan"];
const LAST = ['Ångström', 'Bell', 'Curie', "d'Arc", 'Euler', 'Franklin', 'Gödel', 'Hopper', 'Ito', 'Johnson-Smith'];

/** The user with an index; the same for the same seed. */
export function oldUser(seed: number, index: number): OldUser {
  const pick = (list: readonly string[], what: string) => list[Math.floor(chance(seed, `${what} ${index}`) * list.length)] ?? '';
  const day = 1 + Math.floor(chance(seed, `day ${index}`) * 28);
  const month = 1 + Math.floor(chance(seed, `month ${index}`) * 12);
  const year = 2010 + Math.floor(chance(seed, `year ${index}`) * 15);
  const two = (number: number) => String(number).padStart(2, '0');
  return {
    id: `u${index}`,
    first_name: pick(FIRST, 'first'),
    last_name: pick(LAST, 'last'),
    mail: `User.${index}@Example.ORG`,
    joined: `${two(day)}.${two(month)}.${year}`,
    flags: index % 7 === 0 ? 'admin,active' : index % 5 === 0 ? '' : 'active',
  };
}
