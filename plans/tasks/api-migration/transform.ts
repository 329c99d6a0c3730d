import type { OldUser } from '../../servers/users.ts';

/** A user as the new API wants it. */
export interface NewUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** ISO 8601. */
  readonly joinedOn: string;
  readonly roles: readonly string[];
}

/** A user in the new form. One that cannot be read fails the subtask: a guess would be posted as a fact. */
export default function transform({ user }: { user: OldUser }) {
  return newUser(user);
}

/** One user in the new form. */
export function newUser(user: OldUser): NewUser {
  const date = /^(\d{2})\.(\d{2})\.(\d{4})$/.exec(user.joined);
  if (date === null) throw new Error(`${user.id}: '${user.joined}' is not a date such as 31.12.2019`);
  const [, day, month, year] = date;
  return {
    id: user.id,
    name: `${user.first_name} ${user.last_name}`,
    email: user.mail.toLowerCase(),
    joinedOn: `${year}-${month}-${day}`,
    roles: user.flags.split(',').filter((flag) => flag !== ''),
  };
}
