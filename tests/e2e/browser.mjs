// A real Chromium against the server: sessions through WHIP, the dashboard, and what a page of
// somebody else's may not do. `node browser.mjs [--binary FILE] [--shots FOLDER] [--picture FILE]`;
// the README's picture of the dashboard is made by `--picture docs/images/dashboard.png`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { check, expect, inChromium, option, shoot } from './chromium.mjs';

const BINARY = option('--binary', 'target/release/anypeer');
const PICTURE = option('--picture', null);
const MESSAGES = 10_000;
/** Starts the server; the answer is where it is, and how it ends. */
async function serve(...options) {
  const server = spawn(BINARY, ['serve', '--port', '0', '--isolation', '--webrtc-test', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const found = line.match(/^listening on (http:\S+?)\/? /);
    if (found) {
      const stop = async () => {
        server.kill('SIGTERM');
        const [status] = server.exitCode === null ? await once(server, 'exit') : [server.exitCode];
        return status;
      };
      return { base: found[1], stop };
    }
  }
  throw new Error('expected the server to say where it listens');
}

/** Runs in the page: opens a session with a camera and a data channel. */
async function connect([stream, label, token, note]) {
  const peer = new RTCPeerConnection();
  const media = await navigator.mediaDevices.getUserMedia({ video: true });
  media.getTracks().forEach((track) => peer.addTrack(track, media));
  const channel = peer.createDataChannel(label);
  await peer.setLocalDescription(await peer.createOffer());
  const headers = { 'Content-Type': 'application/sdp' };
  if (token) headers.Authorization = `Bearer ${token}`;
  let body = peer.localDescription.sdp;
  if (note) body = `${body.replace('s=-', `s=${note}`)}a=x-note:${note}\r\n`;
  const answer = await fetch(`/whip/${encodeURIComponent(stream)}`, { method: 'POST', headers, body });
  if (answer.status !== 201) throw new Error(`expected 201, and not ${answer.status}: ${await answer.text()}`);
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  await new Promise((open, fail) => {
    channel.onopen = open;
    setTimeout(() => fail(new Error('expected the channel to open')), 20_000);
  });
  window.session = { peer, channel };
}

/** Runs in the page: sends messages, and counts those that come back, in their order. */
function echo(messages) {
  const { channel } = window.session;
  return new Promise((done, fail) => {
    let back = 0;
    setTimeout(() => fail(new Error(`expected ${messages} messages, and ${back} came`)), 50_000);
    channel.onmessage = ({ data }) => {
      if (data !== `message ${back}`) fail(new Error(`expected message ${back}, and not ${data}`));
      back += 1;
      if (back === messages) done(back);
    };
    let sent = 0;
    const more = () => {
      while (sent < messages && channel.bufferedAmount < 256 * 1024) channel.send(`message ${sent++}`);
    };
    channel.bufferedAmountLowThreshold = 64 * 1024;
    channel.onbufferedamountlow = more;
    more();
  });
}

/** Everything that a page complains of. */
function complaints(page) {
  const all = [];
  page.on('console', (message) => {
    if (message.type() === 'error') all.push(message.text());
  });
  page.on('pageerror', (error) => all.push(error.message));
  page.on('dialog', (dialog) => {
    all.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return all;
}

/** Screenshots of one page: light, dark, and as wide as a phone. */
async function shootAll(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await shoot(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 844 });
  await shoot(page, `${name}-narrow`);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.setViewportSize({ width: 1440, height: 900 });
  expect(wider <= 0, `no page wider than a phone, and it is by ${wider} px`);
}

async function confirm(page) {
  await page.locator('dialog[data-testid=confirm] [value=confirm]').click();
}

async function session(context, runtime, { base }) {
  const client = await context.newPage();
  await client.goto(base);
  const page = await context.newPage();
  const wrong = complaints(page);
  await page.goto(base);
  await page.waitForSelector('body[data-live=live]');

  await check(`${runtime}: a camera and a channel through WHIP`, () => client.evaluate(connect, ['studio', 'chat', null]));
  const row = page.locator('[data-testid=row][data-state=connected]');
  await check(`${runtime}: the dashboard shows it, live`, async () => {
    await row.waitFor();
    return row.getAttribute('data-id');
  });
  const id = await row.getAttribute('data-id');
  await check(`${runtime}: ${MESSAGES} messages come back`, () => client.evaluate(echo, MESSAGES));
  await check(`${runtime}: the detail counts them`, async () => {
    await row.click();
    await page.waitForSelector(`[data-testid=detail][data-id="${id}"][data-state=connected]`);
    const cell = '[data-testid=channel] [data-testid=messages-received]';
    await page.waitForFunction(
      ([cell, least]) => Number(document.querySelector(cell)?.textContent.replace(/\D/g, '')) >= least,
      [cell, MESSAGES],
    );
    return page.locator(cell).first().textContent();
  });
  await check(`${runtime}: media is counted`, async () => {
    const packets = async () => {
      const stats = await (await fetch(`${base}/webrtc/monitor/connections/${id}/stats`)).json();
      const media = Object.values(stats.stats).filter((it) => it.type === 'inbound-rtp');
      return media.reduce((sum, it) => sum + it.packetsReceived, 0);
    };
    for (let count = 0; count < 100; count += 1) {
      const received = await packets();
      if (received > 0) return `${received} packets`;
      await new Promise((done) => setTimeout(done, 200));
    }
    throw new Error('expected packets of media');
  });
  await check(`${runtime}: its pages are good on every screen`, () => shootAll(page, `${runtime}-connected`));
  await check(`${runtime}: a click closes it, and the page shows why`, async () => {
    await page.locator('[data-testid=detail] [data-testid=close]').click();
    await shoot(page, `${runtime}-confirm`);
    await confirm(page);
    const reason = page.locator('[data-testid=detail][data-state=closed] [data-testid=end-reason]');
    await reason.waitFor();
    const text = await reason.textContent();
    expect(/requested/i.test(text), `the reason to be that it was requested, and not ${text}`);
    await shootAll(page, `${runtime}-closed`);
    await page.locator('[data-tab=closed]').click();
    await page.waitForSelector(`[data-testid=closed-row][data-id="${id}"][data-reason=requested]`);
    return text;
  });
  await check(`${runtime}: the browser is told`, () =>
    client.waitForFunction(() => window.session.channel.readyState === 'closed').then(() => 'the channel is closed'));

  await check(`${runtime}: markup in names is text`, async () => {
    const markup = '<img src=x onerror="window.stolen=1">';
    await client.evaluate(connect, [markup, `${markup}<script>window.stolen=1</script>`, null, markup]);
    await page.locator('[data-tab=connections]').click();
    await page.locator('[data-testid=row][data-state=connected]').click();
    await page.locator('[data-testid=channel]', { hasText: '<script>' }).waitFor();
    for (const details of await page.locator('[data-testid=detail] details').all()) {
      await details.evaluate((it) => (it.open = true));
    }
    const sdp = await page.locator('[data-testid=detail]').textContent();
    expect(sdp.includes(`a=x-note:${markup}`), 'the description to be shown as it is');
    for (const tab of ['operations', 'tasks', 'closed']) {
      await page.locator(`[data-tab=${tab}]`).click();
    }
    const [stolen, images] = await page.evaluate(() => [window.stolen, document.querySelectorAll('img').length]);
    expect(stolen === undefined && images === 0, 'no markup to come alive');
    await page.locator('[data-tab=connections]').click();
    await page.locator('[data-testid=close-all]').click();
    await confirm(page);
    await row.waitFor({ state: 'detached' });
  });
  await check(`${runtime}: the page complains of nothing`, () => {
    expect(wrong.length === 0, `no complaint, and there are: ${wrong.join('; ')}`);
  });
  await page.close();
  await client.close();
}

async function foreign(context) {
  const server = await serve();
  const { base } = server;
  const port = new URL(base).port;
  const other = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end('<!doctype html><title>somebody else</title>');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${other.address().port}/`);
  await check('a page of another origin can neither read nor close', async () => {
    const tried = await page.evaluate(async (base) => {
      const ask = (path, options) => fetch(base + path, options).then((it) => it.type, () => 'refused');
      return [
        await ask('/webrtc/monitor/summary'),
        await ask('/webrtc/connections/close-all', { method: 'POST' }),
        await ask('/webrtc/connections/close-all', { method: 'POST', headers: { Prefer: 'respond-async' } }),
        // Sent without being asked, but neither read nor done.
        await ask('/webrtc/connections/close-all', { method: 'POST', mode: 'no-cors' }),
        await ask('/webrtc/monitor/events', { mode: 'no-cors' }),
      ];
    }, base);
    expect(tried.every((it) => it === 'refused'), `refusals, and not ${tried}`);
    const operations = await (await fetch(`${base}/webrtc/monitor/operations?state=ended`)).json();
    const closes = Object.values(operations.operations).filter((it) => it.operation_type.startsWith('close_all'));
    expect(closes.length === 0, `nobody to be closed, and there were ${closes.length} attempts`);
  });
  await check('a page cannot frame the dashboard', async () => {
    const framed = await page.evaluate(async (base) => {
      const frame = document.createElement('iframe');
      frame.src = base;
      document.body.append(frame);
      await new Promise((done) => (frame.onload = done));
      return frame.contentDocument === null;
    }, base);
    expect(framed, 'the frame to be of nobody');
  });
  await check('a name that was pointed here is refused', async () => {
    const answer = await page.goto(`http://rebound.test:${port}/webrtc/monitor/summary`);
    expect(answer.status() === 421, `421, and not ${answer.status()}`);
  });
  await page.close();
  other.close();
  await server.stop();
}

async function token(context) {
  const server = await serve('--token', 's3cret');
  const page = await context.newPage();
  await page.goto(server.base);
  await check('the page asks for the token, and keeps it to itself', async () => {
    const dialog = page.locator('dialog[data-testid=token]');
    await dialog.waitFor();
    await dialog.locator('input').fill('wrong');
    await dialog.locator('[type=submit], button').last().click();
    await dialog.waitFor();
    await shoot(page, 'token');
    await dialog.locator('input').fill('s3cret');
    await dialog.locator('[type=submit], button').last().click();
    await page.waitForSelector('body[data-live=live]');
    await page.evaluate(connect, ['studio', 'chat', 's3cret']);
    await page.waitForSelector('[data-testid=row][data-state=connected]');
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
    expect(!kept.includes('s3cret'), `the token to be nowhere, and it is in ${kept}`);
  });
  await page.close();
  await check('a server that is stopped closes all, and says so', async () => {
    const status = await server.stop();
    expect(status === 0, `status 0, and not ${status}`);
  });
}

/** The dashboard of a server that is in use: publishers with cameras, and one that has left. */
async function picture(context) {
  const server = await serve();
  const guests = [];
  for (const stream of ['keynote', 'keynote', 'workshop', 'support']) {
    const guest = await context.newPage();
    await guest.goto(server.base);
    await guest.evaluate(connect, [stream, 'chat', null]);
    guests.push(guest);
  }
  const page = await context.newPage();
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(server.base);
  await page.waitForSelector('body[data-live=live]');
  await Promise.all(guests.map((guest) => guest.evaluate(echo, 2_000)));
  await guests.pop().evaluate(() => window.session.peer.close());
  await check('the dashboard shows the publishers, and that one has left', async () => {
    const rows = page.locator('[data-testid=row][data-state=connected]');
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=row][data-state=connected]').length === 3);
    await rows.first().click();
    // The charts have something to show once the connections have been sampled several times.
    await page.waitForTimeout(15_000);
    if (PICTURE) await page.screenshot({ path: PICTURE });
    return `${await rows.count()} connected`;
  });
  await Promise.all([page, ...guests].map((it) => it.close()));
  await server.stop();
}

await inChromium(async (context) => {
  if (PICTURE) await picture(context);
  for (const runtime of ['smol', 'tokio']) {
    const server = await serve('--runtime', runtime);
    try {
      await session(context, runtime, server);
    } finally {
      await server.stop();
    }
  }
  await foreign(context);
  await token(context);
});
