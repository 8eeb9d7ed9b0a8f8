// The session descriptions that were set.

import { notice } from './dialogs.js';
import { h } from './dom.js';
import { bytes, clock } from './format.js';

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    notice('warn', 'The browser does not allow this page to copy', [
      'Select the text and copy it by hand.',
    ]);
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 1500);
}

/** Marks the lines of SDP that begin a media section as headings. */
function highlighted(sdp) {
  return sdp.split(/\r?\n/).map((line) => {
    const kind = line.startsWith('m=')
      ? 'media'
      : /^a=(candidate|ice-|fingerprint|setup)/.test(line)
        ? 'transport'
        : null;
    return h('span', { class: kind }, `${line}\n`);
  });
}

function description({ timestamp, side, type, ice_restart: restart, bytes: size, sdp }) {
  const title = h(
    'summary',
    {},
    h('span', { class: 'what' }, `${side} ${type}`),
    restart ? h('span', { class: 'mark' }, 'ICE restart') : null,
    h('span', { class: 'dim' }, ` ${bytes(size)} `),
    h('time', { class: 'mono dim' }, clock(timestamp)),
  );
  if (sdp === null)
    return h('details', {}, title, h('p', { class: 'dim' }, 'The server does not keep the text.'));
  const button = h(
    'button',
    { type: 'button', class: 'copy', onclick: () => copy(sdp, button) },
    'Copy',
  );
  const shown = h('pre', { tabindex: '0' });
  const details = h(
    'details',
    {
      data: { key: `${side} ${timestamp}` },
      ontoggle: () => {
        if (details.open && !shown.hasChildNodes()) shown.append(...highlighted(sdp));
      },
    },
    title,
    h('div', { class: 'sdp' }, button, shown),
  );
  return details;
}

export const descriptions = {
  id: 'sdp',
  title: 'SDP',
  of: ({ connection }) => (connection.descriptions.length ? connection.descriptions : null),
  render: (all) => all.map(description),
};
