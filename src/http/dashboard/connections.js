// The live connections.

import { badge, connectionHash, h, setAttribute, setText, words } from './dom.js';
import { age, bitrate, count, decimal, latency, percent, UNKNOWN, visible } from './format.js';
import * as api from './api.js';
import { VirtualTable } from './table.js';

const STATES = ['new', 'connecting', 'connected', 'disconnected', 'failed', 'closed'];
const REFRESH_EVERY = 5000;

export function idColumn(width) {
  return {
    id: 'id',
    title: 'Connection',
    width,
    value: (row) => row.connection_id,
    text: (row) => visible(row.connection_id),
    make: () => h('a', { class: 'mono', tabindex: '-1' }),
    dress: (link, row) => {
      setAttribute(link, 'href', connectionHash(row.connection_id));
      setAttribute(link, 'title', row.connection_id);
    },
  };
}

export const numberColumn = {
  id: 'number',
  title: '#',
  numeric: true,
  steady: true,
  priority: 3,
  width: '56px',
  value: (row) => row.number,
  text: (row) => String(row.number),
  hint: 'Numbered in the order of opening',
};

export const groupColumn = {
  id: 'group',
  title: 'Stream',
  priority: 2,
  value: (row) => row.group,
  text: (row) => visible(row.group ?? UNKNOWN),
  dress: (cell, row) => setAttribute(cell, 'title', row.group),
};

function stateColumn() {
  const order = Object.fromEntries(STATES.map((state, i) => [state, i]));
  return {
    id: 'state',
    title: 'State',
    width: '124px',
    value: (row) => order[row.connection_state] ?? STATES.length,
    text: (row) => row.connection_state,
    make: () => badge(''),
    dress: (node, row) => {
      if (node.dataset.kind !== row.connection_state) node.dataset.kind = row.connection_state;
    },
  };
}

function columns(store) {
  const numeric = (id, title, width, priority, text, hint) => ({
    id,
    title,
    width,
    priority,
    numeric: true,
    hint,
    value: (row) => row[id],
    text: (row) => text(row[id]),
  });
  return [
    numberColumn,
    idColumn(),
    stateColumn(),
    {
      id: 'ice',
      title: 'ICE',
      priority: 5,
      width: '108px',
      value: (row) => row.ice_state,
      text: (row) => row.ice_state,
    },
    groupColumn,
    {
      id: 'cause',
      title: 'Cause',
      priority: 4,
      width: '140px',
      hint: 'Diagnosed cause of the problem',
      value: (row) => row.cause,
      text: (row) => words(row.cause ?? UNKNOWN),
      dress: (cell, row) => cell.classList.toggle('is-warn', row.cause !== null),
    },
    {
      id: 'age',
      title: 'Age',
      numeric: true,
      steady: true,
      priority: 2,
      width: '92px',
      value: (row) => -row.created_at,
      text: (row) => age(store.age(row)),
    },
    numeric('round_trip_time', 'RTT', '78px', 1, latency, 'Round trip time of the selected pair'),
    numeric('bitrate_in', 'In', '92px', 3, bitrate, 'Bitrate received'),
    numeric('bitrate_out', 'Out', '92px', 3, bitrate, 'Bitrate sent'),
    numeric('loss', 'Loss', '66px', 3, percent, 'Share of packets lost'),
    numeric(
      'quality',
      'Quality',
      '74px',
      4,
      (value) => decimal(value),
      'Estimated opinion score, from 1 (bad) to 4.5 (best)',
    ),
    numeric('tracks', 'Tracks', '66px', 5, count),
    numeric('data_channels', 'Chan.', '62px', 4, count, 'Data channels'),
    numeric('tasks', 'Tasks', '62px', 5, count),
    {
      ...numeric('errors', 'Errors', '72px', 3, count),
      dress: (cell, row) => cell.classList.toggle('is-bad', row.errors > 0),
    },
  ];
}

export class ConnectionsView {
  element;
  #store;
  #table;
  #state = null;
  #text = '';
  #chips = new Map();
  #shown = h('span', { class: 'dim', role: 'status' });
  filter = h('input', {
    type: 'search',
    placeholder: 'Filter by id, stream or state',
    'aria-label': 'Filter connections',
    'aria-keyshortcuts': '/',
    spellcheck: 'false',
    autocomplete: 'off',
  });

  constructor(store, { open, isLive }) {
    this.#store = store;
    this.#table = new VirtualTable({
      label: 'Live connections',
      columns: columns(store),
      key: (row) => row.number,
      describe: (row) => ({ testid: 'row', id: row.connection_id, state: row.connection_state }),
      open,
      sort: { by: 'number', down: true },
      empty: emptyState(() => this.#reset()),
    });
    this.filter.addEventListener('input', () => {
      this.#text = this.filter.value.trim().toLowerCase();
      this.#table.changed(true);
    });
    const chips = h(
      'div',
      { class: 'chips', role: 'group', 'aria-label': 'Filter by state' },
      STATES.slice(0, 5).map((state) => this.#chip(state)),
    );
    const bar = h('div', { class: 'toolbar' }, this.filter, chips, this.#shown);
    this.element = h(
      'section',
      { class: 'view', 'aria-label': 'Connections' },
      bar,
      this.#table.element,
    );
    this.#table.from(() => this.#matching());
    store.on('list', () => this.#table.changed());
    store.on('rows', () => this.#table.changed());
    store.on('summary', () => this.#countStates());
    setInterval(() => this.#tick(), 1000);
    setInterval(() => {
      if (!document.hidden && isLive()) this.#refresh();
    }, REFRESH_EVERY);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && isLive()) this.#refresh();
    });
  }

  get table() {
    return this.#table;
  }

  #chip(state) {
    const number = h('span', { class: 'n' }, '0');
    const chip = h(
      'button',
      {
        type: 'button',
        class: 'chip',
        'aria-pressed': 'false',
        data: { kind: state },
        onclick: () => this.#choose(state),
      },
      state,
      ' ',
      number,
    );
    this.#chips.set(state, { chip, number });
    return chip;
  }

  #choose(state) {
    this.#state = this.#state === state ? null : state;
    for (const [name, { chip }] of this.#chips)
      chip.setAttribute('aria-pressed', name === this.#state);
    this.#table.changed(true);
  }

  #reset() {
    this.filter.value = '';
    this.#text = '';
    this.#choose(null);
  }

  #isFiltered() {
    return this.#text !== '' || this.#state !== null;
  }

  #countStates() {
    for (const [state, { number }] of this.#chips) {
      setText(number, count(this.#store.summary.connection_states[state]));
    }
  }

  #matching() {
    const all = [...this.#store.connections.values()];
    const matching = this.#isFiltered() ? all.filter((row) => this.#matches(row)) : all;
    const shown = `${count(matching.length)} of ${count(all.length)}`;
    setText(this.#shown, this.#isFiltered() ? shown : '');
    this.#table.element.classList.toggle('is-filtered', this.#isFiltered());
    return matching;
  }

  #matches(row) {
    if (this.#state !== null && row.connection_state !== this.#state) return false;
    if (this.#text === '') return true;
    // The id and the group of a connection do not change.
    row.search ??= `${row.connection_id}\n${row.group ?? ''}`.toLowerCase();
    return (
      row.search.includes(this.#text) ||
      row.connection_state.includes(this.#text) ||
      row.ice_state.includes(this.#text)
    );
  }

  /** Updates the ages, which change without events. */
  #tick() {
    if (!document.hidden) this.#table.render();
  }

  #refreshing = false;

  async #refresh() {
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      const askedAt = performance.now();
      for await (const page of api.pages('webrtc/monitor/connections?view=row')) {
        this.#store.refresh(Object.values(page.connections), askedAt);
      }
    } catch {
      // The error is ignored: the event stream shows it if the server is lost, and this read is
      // repeated.
    } finally {
      this.#refreshing = false;
    }
  }
}

function emptyState(reset) {
  const address = api.url('whip/').href;
  const nothing = h(
    'div',
    { class: 'empty-none' },
    h('h2', {}, 'No connections yet'),
    h('p', {}, 'Connect a client with WHIP (RFC 9725): send an SDP offer and apply the answer.'),
    h('pre', { tabindex: '0' }, snippet(address)),
    h(
      'p',
      { class: 'dim' },
      'Data channel messages are echoed, and media is received and discarded. The name of the stream becomes the group of the connection. OBS and GStreamer’s whipsink can use the same URL.',
    ),
  );
  const filtered = h(
    'div',
    { class: 'empty-filtered' },
    h('p', {}, 'No connection matches the filter.'),
    h('button', { type: 'button', onclick: reset }, 'Clear the filter'),
  );
  return h('div', { class: 'empty' }, nothing, filtered);
}

function snippet(address) {
  return [
    'const pc = new RTCPeerConnection();',
    "const channel = pc.createDataChannel('chat');",
    'await pc.setLocalDescription(await pc.createOffer());',
    `const answer = await fetch('${address}my-stream', {`,
    "  method: 'POST',",
    "  headers: { 'Content-Type': 'application/sdp' },",
    '  body: pc.localDescription.sdp,',
    '});',
    "await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });",
  ].join('\n');
}
