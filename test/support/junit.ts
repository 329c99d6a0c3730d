import { readFileSync } from 'node:fs';
import { validateXML } from 'xmllint-wasm';

const SCHEMA = readFileSync(new URL('junit.xsd', import.meta.url), 'utf8');

/** What is wrong with a JUnit file by the schema; nothing where it is valid. */
export async function junitProblems(xml: string): Promise<readonly string[]> {
  const result = await validateXML({ xml: { fileName: 'junit.xml', contents: xml }, schema: SCHEMA });
  return result.errors.map(({ message, loc }) => `${loc?.lineNumber ?? '?'}: ${message}`);
}
