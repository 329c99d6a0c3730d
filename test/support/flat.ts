/** The text of panels without their frames, their lines joined: what is looked for may be broken over two lines. */
export function flat(text: string): string {
  return text.replace(/[║╔╗╚╝╠╣═│\s]+/g, ' ');
}
