// Dialogs and notices.

import * as api from './api.js';
import { h } from './dom.js';
import { count, latency, visible } from './format.js';

/** Resolves to the value of the button that closed the dialog; `''` if it was dismissed. */
function ask(dialog) {
  const before = document.activeElement;
  return new Promise((resolve) => {
    const left = (event) => {
      event.preventDefault();
      dialog.close(event.submitter?.value ?? '');
    };
    dialog.addEventListener('submit', left);
    dialog.addEventListener(
      'close',
      () => {
        dialog.removeEventListener('submit', left);
        const { returnValue } = dialog;
        dialog.returnValue = '';
        if (before?.isConnected) before.focus();
        resolve(returnValue);
      },
      { once: true },
    );
    dialog.returnValue = '';
    dialog.showModal();
  });
}

const byId = (id) => document.getElementById(id);

export async function confirm(title, said, action) {
  const dialog = byId('confirm');
  dialog.querySelector('h2').textContent = title;
  dialog.querySelector('.said').replaceChildren(...said);
  dialog.querySelector('[value=confirm]').textContent = action;
  return (await ask(dialog)) === 'confirm';
}

export async function token(refused) {
  const dialog = byId('token');
  const input = dialog.querySelector('input');
  dialog.querySelector('.refused').hidden = !refused;
  input.value = '';
  const answer = await ask(dialog);
  const given = input.value.trim();
  input.value = '';
  return answer === 'give' && given ? given : null;
}

export function help() {
  return ask(byId('help'));
}

/** Shows content in a dialog. */
export function show(title, content) {
  const dialog = byId('shown');
  dialog.querySelector('h2').textContent = title;
  dialog.querySelector('.content').replaceChildren(...content);
  return ask(dialog);
}

/** Shows a notice: `ok` and `warn` disappear after a while, `bad` stays until it is dismissed. */
export function notice(kind, title, lines = []) {
  const dismiss = h(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => box.remove() },
    '✕',
  );
  const list = lines.length
    ? h(
        'ul',
        {},
        lines.map((line) => h('li', {}, visible(line))),
      )
    : null;
  const box = h(
    'div',
    { class: 'notice', role: kind === 'bad' ? 'alert' : null, data: { kind } },
    h('div', {}, h('strong', {}, visible(title)), list),
    dismiss,
  );
  const notices = byId('notices');
  notices.append(box);
  while (notices.children.length > 5) notices.firstChild.remove();
  const staysFor = { ok: 6000, warn: 15_000 }[kind];
  if (staysFor) setTimeout(() => box.remove(), staysFor);
}

/** Runs an action, and shows a notice if it fails. */
export async function attempt(what, work) {
  try {
    return await work();
  } catch (error) {
    const status = error.status ? ` (HTTP ${error.status}: ${error.title})` : '';
    notice('bad', `${what} failed${status}`, [error.message]);
    return null;
  }
}

async function closing(button, what, close) {
  if (button) button.disabled = true;
  const outcome = await attempt(`Closing ${what}`, close);
  if (button) button.disabled = false;
  if (outcome) tellOutcome(what, outcome);
}

function tellOutcome(what, outcome) {
  const took = latency(outcome.duration_ms / 1000);
  if ('connection_count' in outcome) {
    const { connections_closed: closed, connection_count: of, problems, success } = outcome;
    const lines = problems.map(
      ({ connection_id: id, outcome: said, stuck_tasks: stuck }) =>
        `${id}: ${said}${stuck ? `; tasks that did not stop: ${stuck}` : ''}`,
    );
    const title = success ? `Closed ${what}` : `Not all of ${what} are closed`;
    const kind = success ? (lines.length ? 'warn' : 'ok') : 'bad';
    notice(kind, title, [`${count(closed)} of ${count(of)} closed in ${took}`, ...lines]);
  } else if (outcome.success) {
    notice('ok', `Closed ${what}`, [`${outcome.outcome}, in ${took}`]);
  } else {
    notice('bad', `Could not confirm that ${what} is closed`, [`${outcome.outcome}, after ${took}`]);
  }
}

const strong = (text) => h('strong', { class: 'mono' }, visible(text));

export async function closeConnection(id, about, button) {
  const said = [
    h('p', {}, 'This closes the connection ', strong(id), '.'),
    h('p', { class: 'dim' }, about),
  ];
  if (await confirm('Close this connection?', said, 'Close connection')) {
    const path = `webrtc/connections?id=${encodeURIComponent(id)}`;
    await closing(button, id, () => api.close(path, 'DELETE'));
  }
}

export async function closeGroup(group, size, button) {
  const number = size === 1 ? 'its only connection' : `its ${count(size)} connections`;
  const said = [h('p', {}, 'This stops the stream ', strong(group), ` and closes ${number}.`)];
  if (await confirm('Stop this stream?', said, 'Stop stream')) {
    const close = () => api.close(`webrtc/stream/stop/${api.segment(group)}`);
    await closing(button, `stream ${group}`, close);
  }
}

export async function closeAll(size, button) {
  const number = size === 1 ? 'the only live connection' : `all ${count(size)} live connections`;
  const said = [
    h('p', {}, `This closes ${number} of every stream. New connections can still be opened.`),
  ];
  if (await confirm('Close every connection?', said, 'Close all')) {
    await closing(button, 'the connections', () => api.close('webrtc/connections/close-all'));
  }
}
