import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, describe } from 'vitest';

const PLACES = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = PLACES.find((path) => path !== '' && existsSync(path));

/** A block of tests that need Chromium; where there is none they are skipped, and that is said loudly. */
export const describeInBrowser = EXECUTABLE === undefined ? describe.skip : describe;

if (EXECUTABLE === undefined) {
  process.stderr.write(
    '\n*** SKIPPED: no Chromium found (apt-get install chromium, or set CHROMIUM): pages are not tested ***\n\n',
  );
}

let browser: Promise<Browser> | undefined;
afterAll(async () => (await browser)?.close());

/** A page that has been opened, and everything that it should not have done. */
export interface OpenedPage {
  readonly page: Page;
  /** Messages on the console and errors. */
  readonly messages: readonly string[];
  /** Everything that it asked for beside itself. */
  readonly requests: readonly string[];
}

/** Opens a file in headless Chromium. */
export async function openPage(
  file: string,
  options: { readonly width?: number; readonly scheme?: 'light' | 'dark' } = {},
): Promise<OpenedPage> {
  browser ??= chromium.launch({ executablePath: EXECUTABLE ?? '', args: ['--no-sandbox'] });
  const { width = 1000, scheme = 'light' } = options;
  const page = await (await browser).newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
  const messages: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  page.on('dialog', (dialog) => messages.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => requests.push(request.url()));
  const url = `file://${file}`;
  await page.goto(url);
  return { page, messages, requests: requests.filter((requested) => requested !== url) };
}
