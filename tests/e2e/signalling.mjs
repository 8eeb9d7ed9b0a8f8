// A real Chromium connects to the README's quick start, and two guests meet through each signalling
// example: a chat, a camera, and a guest who leaves. `node signalling.mjs [--examples FOLDER] [--shots FOLDER]`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { check, expect, inChromium, option, shoot } from './chromium.mjs';

const EXAMPLES = option('--examples', 'target/release/examples');
/** The server hears a goodbye within this time. */
const NOTICED_WITHIN = 1_500;

/** Starts an example; the answer is where it listens, and how it ends. */
async function serve(example) {
  const server = spawn(join(EXAMPLES, example), ['127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  const stop = async () => {
    const ended = server.exitCode === null ? once(server, 'exit') : [server.exitCode];
    server.kill('SIGINT');
    const [status] = await ended;
    return [status, (await lines.next()).value];
  };
  return { base: value.match(/http:\S+/)[0], stop };
}

/** Joins, with the name that a person types. */
async function enter(context, base, name, camera) {
  const page = await context.newPage();
  await page.setViewportSize({ width: 800, height: 900 });
  await page.goto(base);
  await page.fill('input[name=name]', name);
  if (camera) await page.check('input[name=camera]');
  await page.click('text=Join');
  await page.waitForFunction(() => document.querySelector('#state').textContent === 'connected');
  return page;
}

/** Waits until a page shows these guests, in any order. */
const shows = (page, guests) =>
  page.waitForFunction(
    (expected) => document.querySelector('#guests').textContent.split(', ').sort().join() === expected,
    guests.toSorted().join(),
  );

async function say(from, text, pages) {
  await from.fill('input[name=text]', text);
  await from.click('text=Send');
  for (const page of pages) {
    await page.waitForFunction(
      (expected) => document.querySelector('#log').lastElementChild?.textContent.endsWith(`: ${expected}`),
      text,
    );
  }
}

/** Runs in Ada's page: notes when it shows her alone. Polling would not do: Chromium slows it down to
 * once a second in a tab that is not in front. */
function noteAlone() {
  window.alone = new Promise((resolve, reject) => {
    const guests = document.querySelector('#guests');
    const look = () => guests.textContent === 'Ada (camera)' && resolve(Date.now());
    new MutationObserver(look).observe(guests, { childList: true });
    setTimeout(() => reject(new Error('expected the guest to be gone within 60 s')), 60_000);
  });
}

/** Waits until Ada's page shows her alone. The answer is how long that took from the start of `leave`. */
async function noticed(ada, leave) {
  await ada.evaluate(noteAlone);
  const left = Date.now();
  await leave();
  const took = (await ada.evaluate(() => window.alone)) - left;
  expect(took <= NOTICED_WITHIN, `it within ${NOTICED_WITHIN} ms, and it took ${took} ms`);
  return `after ${took} ms`;
}

/** Ends a server that has one guest left. */
async function ends(stop) {
  const [status, report] = await stop();
  expect(status === 0 && /^1 of 1 closed/.test(report), `1 of 1 closed, and not status ${status}, ${report}`);
  return report;
}

async function meet(context, example) {
  const { base, stop } = await serve(example);
  const ada = await enter(context, base, 'Ada', true);
  const bob = await enter(context, base, 'Bob & <Co>', false);
  await check(`${example}: the guests see each other, and who shares a camera`, async () => {
    for (const page of [ada, bob]) await shows(page, ['Ada (camera)', 'Bob & <Co>']);
  });
  await check(`${example}: a message reaches everybody, and is text`, async () => {
    await say(ada, 'Hello <b>Bob</b>', [ada, bob]);
    await say(bob, 'Hello Ada', [ada, bob]);
    return ada.locator('#log').innerText().then((log) => log.replaceAll('\n', ' | '));
  });
  await shoot(ada, example);
  await check(`${example}: a guest who leaves is noticed`, () => noticed(ada, () => bob.click('text=Leave')));
  await check(`${example}: a guest whose tab is closed is noticed`, async () => {
    const eve = await enter(context, base, 'Eve', false);
    await shows(ada, ['Ada (camera)', 'Eve']);
    return noticed(ada, () => eve.close());
  });
  await check(`${example}: the server closes its last guest and ends`, () => ends(stop));
  await Promise.all([ada.close(), bob.close()]);
}

/** Runs in the page: offers a data channel to the quick start. */
async function offer() {
  const peer = new RTCPeerConnection();
  const until = (event, holds) =>
    new Promise((resolve) => {
      const look = () => holds() && resolve();
      peer.addEventListener(event, look);
      look();
    });
  peer.createDataChannel('chat');
  await peer.setLocalDescription();
  await until('icegatheringstatechange', () => peer.iceGatheringState === 'complete');
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(peer.localDescription);
  const answer = await fetch('/offer', { method: 'POST', headers, body });
  await peer.setRemoteDescription(await answer.json());
  await until('connectionstatechange', () => peer.connectionState === 'connected');
  window.peer = peer;
  return peer.connectionState;
}

async function quickStart(context) {
  const { base, stop } = await serve('quick_start');
  const page = await context.newPage();
  // It serves no page, so that the browser is given one of its origin.
  await page.route(base, (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  await page.goto(base);
  await check('quick_start: an offer is answered, and the browser connects', () => page.evaluate(offer));
  await check('quick_start: the server closes its peer and ends', () => ends(stop));
  await page.close();
}

await inChromium(async (context) => {
  await quickStart(context);
  for (const example of ['signalling', 'signalling_smol']) await meet(context, example);
});
