// A real Chromium with a fake camera, and the checks that the end-to-end tests in it are made of.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** The value of an option of the command line. */
export const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const SHOTS = option('--shots', null);
const PATIENCE = 60_000;

let failed = 0;

export async function check(name, test) {
  try {
    console.log(`PASS ${name}: ${(await test()) ?? 'as expected'}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

export function expect(condition, what) {
  if (!condition) throw new Error(`expected ${what}`);
}

export async function shoot(page, name) {
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** Runs the tests in a browser with a profile of its own, and ends the process with their result. */
export async function inChromium(tests) {
  const profile = mkdtempSync(join(tmpdir(), 'anypeer-browser-'));
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    viewport: { width: 1440, height: 900 },
    permissions: ['camera'],
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection',
      '--host-resolver-rules=MAP rebound.test 127.0.0.1',
    ],
  });
  context.setDefaultTimeout(PATIENCE);
  try {
    await tests(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
  console.log(failed === 0 ? 'all passed' : `${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
