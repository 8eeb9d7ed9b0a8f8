// Operations in progress and ended, and the durations of each type.

import * as api from './api.js';
import { latencyAxis, latencyStrip } from './charts.js';
import { attempt, show } from './dialogs.js';
import { badge, connectionLink, gathered, h, setAttribute, setText, words, list } from './dom.js';
import { clock, count, dateAndTime, latency, UNKNOWN } from './format.js';
import { VirtualTable } from './table.js';

const STATUSES = ['started', 'completed', 'failed', 'canceled'];
const STATUS_NAMES = { started: 'in progress' };

const target = ({ details }) => details.connection_id ?? details.server_id ?? '';

const said = (operation) => operation.error ?? operation.result?.outcome ?? '';

function columns(store) {
  const running = (it) => it.duration ?? Math.max(0, store.now() - it.start_time);
  return [
    {
      id: 'end',
      title: 'Ended',
      numeric: true,
      steady: true,
      priority: 2,
      width: '112px',
      value: (it) => it.end_time ?? Infinity,
      text: (it) => clock(it.end_time),
    },
    {
      id: 'type',
      title: 'Type',
      value: (it) => it.operation_type,
      text: (it) => words(it.operation_type),
    },
    {
      id: 'target',
      title: 'Target',
      priority: 2,
      value: target,
      text: (it) => target(it) || UNKNOWN,
      make: () => h('span', { class: 'mono' }),
      dress: (cell, it) => setAttribute(cell, 'title', target(it) || null),
    },
    {
      id: 'status',
      title: 'Status',
      width: '108px',
      value: (it) => STATUSES.indexOf(it.status),
      text: (it) => STATUS_NAMES[it.status] ?? it.status,
      make: () => badge(''),
      dress: (node, it) => {
        if (node.dataset.kind !== it.status) node.dataset.kind = it.status;
      },
    },
    {
      id: 'duration',
      title: 'Duration',
      numeric: true,
      width: '96px',
      value: running,
      text: (it) => latency(running(it)),
    },
    {
      id: 'said',
      title: 'Outcome',
      priority: 2,
      value: said,
      text: said,
      dress: (cell, it) => {
        cell.classList.toggle('is-bad', Boolean(it.error));
        setAttribute(cell, 'title', it.error_chain?.join('\n↳ ') ?? null);
      },
    },
  ];
}

function describe(operation) {
  const { operation_id: id, operation_type: type, details, result, error_chain: chain } = operation;
  const others = Object.entries(details).filter(
    ([name]) => name !== 'connection_id' && name !== 'server_id',
  );
  const content = [
    list([
      ['Type', words(type)],
      ['Id', h('span', { class: 'mono' }, id)],
      ['Status', badge(operation.status)],
      [
        'Connection',
        details.connection_id === undefined ? null : connectionLink(details.connection_id),
      ],
      [
        'Stream',
        details.server_id === undefined ? null : h('span', { class: 'mono' }, details.server_id),
      ],
      ['Started', dateAndTime(operation.start_time)],
      ['Ended', operation.end_time === undefined ? null : dateAndTime(operation.end_time)],
      ['Duration', operation.duration === undefined ? null : latency(operation.duration)],
      ['Outcome', result?.outcome],
      ...others.map(([name, value]) => [words(name), String(value)]),
    ]),
  ];
  if (chain?.length) {
    content.push(
      h('h3', {}, 'Errors, the outermost first'),
      h(
        'ol',
        { class: 'chain' },
        chain.map((error) => h('li', {}, error)),
      ),
    );
  }
  return show('Operation', content);
}

export class OperationsView {
  element;
  filter = h('input', {
    type: 'search',
    placeholder: 'Filter by type, target or outcome',
    'aria-label': 'Filter operations',
    'aria-keyshortcuts': '/',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  #store;
  #table;
  #text = '';
  #status = null;
  #type = null;
  #chips = new Map();
  #latencies = h('div', { class: 'latencies' });
  #asked = false;

  constructor(store) {
    this.#store = store;
    this.#table = new VirtualTable({
      label: 'Operations',
      columns: columns(store),
      key: (it) => it.operation_id,
      describe: (it) => ({ testid: 'operation', id: it.operation_id, status: it.status }),
      open: describe,
      sort: { by: 'end', down: true },
      empty: h(
        'div',
        { class: 'empty' },
        h('p', { class: 'empty-none' }, 'No operations yet.'),
        h('p', { class: 'empty-filtered' }, 'No operation matches the filter.'),
      ),
    });
    this.#table.from(() => this.#matching());
    this.filter.addEventListener('input', () => {
      this.#text = this.filter.value.trim().toLowerCase();
      this.#table.changed(true);
    });
    const chips = h(
      'div',
      { class: 'chips', role: 'group', 'aria-label': 'Filter by status' },
      STATUSES.map((status) => this.#chip(status)),
    );
    const spread = h(
      'details',
      { class: 'spread', open: true },
      h(
        'summary',
        {},
        'Latency by type ',
        h(
          'span',
          { class: 'legend' },
          h('i', { class: 'p50' }),
          'median ',
          h('i', { class: 'p95' }),
          '95th percentile',
        ),
      ),
      this.#latencies,
    );
    this.element = h(
      'section',
      { class: 'view', 'aria-label': 'Operations' },
      h('div', { class: 'toolbar' }, this.filter, chips),
      spread,
      this.#table.element,
    );
    const redraw = gathered(1000, () => this.#drawLatencies());
    store.on('operations', () => {
      this.#table.changed();
      if (!this.element.hidden) redraw();
    });
    store.on('summary', () => this.#countStatuses());
    store.on('gap', () => {
      this.#asked = false;
      if (!this.element.hidden) this.shown();
    });
    setInterval(() => {
      if (!document.hidden && store.operations.size) this.#table.render();
    }, 1000);
  }

  get table() {
    return this.#table;
  }

  /** Reads, once, the operations that ended before the page was loaded. */
  async shown() {
    this.#table.changed(true);
    this.#drawLatencies();
    if (this.#asked) return;
    this.#asked = true;
    await attempt('Reading the operations', async () => {
      for await (const page of api.pages('webrtc/monitor/operations?state=ended', 2)) {
        this.#store.addEnded(Object.values(page.operations));
      }
    });
    this.#drawLatencies();
  }

  #chip(status) {
    const number = h('span', { class: 'n' }, '0');
    const choose = () => {
      this.#status = this.#status === status ? null : status;
      for (const [name, it] of this.#chips)
        it.chip.setAttribute('aria-pressed', name === this.#status);
      this.#table.changed(true);
    };
    const chip = h(
      'button',
      {
        type: 'button',
        class: 'chip',
        'aria-pressed': 'false',
        data: { kind: status },
        onclick: choose,
      },
      STATUS_NAMES[status] ?? status,
      ' ',
      number,
    );
    this.#chips.set(status, { chip, number });
    return chip;
  }

  #countStatuses() {
    for (const [status, { number }] of this.#chips) {
      setText(number, count(this.#store.summary.operation_stats[status]));
    }
  }

  #matching() {
    const all = [...this.#store.operations.values(), ...this.#store.ended];
    this.#table.element.classList.toggle(
      'is-filtered',
      Boolean(this.#text || this.#status || this.#type),
    );
    return all.filter(
      (it) =>
        (this.#status === null || it.status === this.#status) &&
        (this.#type === null || it.operation_type === this.#type) &&
        (this.#text === '' ||
          `${words(it.operation_type)}\n${it.operation_type}\n${target(it)}\n${said(it)}`
            .toLowerCase()
            .includes(this.#text)),
    );
  }

  #drawLatencies() {
    const types = new Map();
    for (const operation of this.#store.ended) {
      const known = types.get(operation.operation_type);
      if (known) known.push(operation);
      else types.set(operation.operation_type, [operation]);
    }
    const rows = [...types]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, operations]) => this.#latency(type, operations));
    const focused = this.#latencies.contains(document.activeElement)
      ? document.activeElement.dataset.type
      : null;
    this.#latencies.replaceChildren(
      ...(rows.length
        ? [
            h(
              'div',
              { class: 'latency head' },
              h('span', {}, 'Type'),
              latencyAxis(),
              h('span', { class: 'num' }, 'p50'),
              h('span', { class: 'num' }, 'p95'),
              h('span', { class: 'num' }, 'Ended'),
            ),
            ...rows,
          ]
        : [h('p', { class: 'dim' }, 'No operation has ended yet.')]),
    );
    if (focused) rows.find((row) => row.firstChild.dataset.type === focused)?.firstChild.focus();
  }

  #latency(type, operations) {
    const { strip, median, high } = latencyStrip(operations);
    const failed = operations.filter(({ status }) => status === 'failed').length;
    const choose = () => {
      this.#type = this.#type === type ? null : type;
      this.#drawLatencies();
      this.#table.changed(true);
    };
    const name = h(
      'button',
      {
        type: 'button',
        class: 'type',
        'aria-pressed': String(this.#type === type),
        title: 'Show only operations of this type',
        data: { type },
        onclick: choose,
      },
      words(type),
    );
    const number = (text) => h('span', { class: 'num' }, text);
    const ended = h(
      'span',
      { class: 'num' },
      count(operations.length),
      failed ? h('span', { class: 'is-bad' }, ` (${count(failed)} failed)`) : null,
    );
    return h(
      'div',
      { class: 'latency' },
      name,
      strip,
      number(latency(median)),
      number(latency(high)),
      ended,
    );
  }
}
