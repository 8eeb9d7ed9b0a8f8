// The panel of one connection, beside the list.

import * as api from './api.js';
import { LineChart } from './charts.js';
import { attempt, closeConnection, closeGroup } from './dialogs.js';
import { badge, gathered, h, setText } from './dom.js';
import { age, bitrate, decimal, latency, percent, visible } from './format.js';
import { AFTER_CHARTS, BEFORE_CHARTS } from './parts.js';

const REFRESH_EVERY = 2000;

/** The rates between each sample and the one before. */
function rates(samples) {
  return samples.map((sample, i) => {
    const before = samples[i - 1];
    const seconds = before ? sample.timestamp - before.timestamp : 0;
    const rate = (name) =>
      seconds > 0 ? Math.max(0, (8 * (sample[name] - before[name])) / seconds) : null;
    const lost = before ? Math.max(0, sample.packets_lost - before.packets_lost) : 0;
    const received = before ? sample.packets_received - before.packets_received : 0;
    return {
      timestamp: sample.timestamp,
      roundTrip: sample.round_trip_time,
      jitter: sample.jitter,
      quality: sample.quality,
      bitrateIn: rate('bytes_received'),
      bitrateOut: rate('bytes_sent'),
      loss: lost + received > 0 ? lost / (lost + received) : null,
    };
  });
}

/** The connection with this id and number if it is still kept, or else another with this id. */
async function read(id, number) {
  const found = await api.connection(id);
  if (number === null || found.connection.number === number) return found;
  // Another connection has the id now, so the closed connection is read by its number.
  return api.closedConnection(number).catch((error) => {
    if (error.status === 404) return found;
    throw error;
  });
}

class Charts {
  #last = '';
  #charts = [
    new LineChart(
      'Round trip time',
      [
        { name: 'RTT', kind: 'a', value: (point) => point.roundTrip },
        { name: 'jitter', kind: 'b', value: (point) => point.jitter },
      ],
      latency,
      { least: 0.005 },
    ),
    new LineChart(
      'Bitrate',
      [
        { name: 'in', kind: 'a', value: (point) => point.bitrateIn },
        { name: 'out', kind: 'b', value: (point) => point.bitrateOut },
      ],
      bitrate,
      { least: 10_000 },
    ),
    new LineChart(
      'Packet loss',
      [{ name: '', kind: 'bad', value: (point) => point.loss }],
      percent,
      { least: 0.02 },
    ),
    new LineChart(
      'Quality (of 4.5)',
      [{ name: '', kind: 'a', value: (point) => point.quality }],
      (value) => decimal(value),
      { marks: [1, 2, 3, 4, 5] },
    ),
  ];
  element = h(
    'section',
    { class: 'part charts', 'aria-label': 'Charts' },
    this.#charts.map(({ element }) => element),
  );

  update(samples, ended) {
    const last = `${samples.length} ${samples.at(-1)?.timestamp} ${ended}`;
    if (last === this.#last) return;
    this.#last = last;
    const points = rates(samples);
    for (const chart of this.#charts) chart.update(points, ended);
  }
}

/** A section of the panel, which is rebuilt only when its data has changed. */
class Part {
  #made = '';
  #part;
  #body = h('div', { class: 'body' });
  element;

  constructor(part) {
    this.#part = part;
    this.element = h(
      'section',
      { class: `part part-${part.id}`, hidden: true },
      h('h3', {}, part.title),
      this.#body,
    );
  }

  update(data) {
    const shown = this.#part.of(data);
    this.element.hidden = shown === null;
    const text = JSON.stringify(shown);
    if (shown === null || text === this.#made) return;
    this.#made = text;
    const seen = this.#look();
    this.#body.replaceChildren(
      ...[this.#part.render(shown)].flat().filter((node) => node !== null),
    );
    this.#restore(seen);
  }

  /** Which details are open, and how far tables are scrolled. */
  #look() {
    const open = [...this.#body.querySelectorAll('details[open]')].map(
      ({ dataset }) => dataset.key,
    );
    const scrolled = [...this.#body.querySelectorAll('.wide')].map(({ scrollLeft }) => scrollLeft);
    return { open: new Set(open), scrolled };
  }

  #restore({ open, scrolled }) {
    for (const details of this.#body.querySelectorAll('details'))
      details.open = open.has(details.dataset.key);
    this.#body.querySelectorAll('.wide').forEach((wide, i) => {
      wide.scrollLeft = scrolled[i] ?? 0;
    });
  }
}

export class Detail {
  /** The id of the connection that is shown; null if none is. */
  id = null;
  #store;
  #isLive;
  #number = null;
  #shown = null;
  #asked = 0;
  #parts = [];
  #charts = null;
  #head = {};
  #body = h('div', { class: 'detail-body', tabindex: '-1' });
  element = h('aside', {
    class: 'detail',
    hidden: true,
    'aria-label': 'Connection',
    data: { testid: 'detail' },
  });

  constructor(store, { isLive, leave }) {
    this.#store = store;
    this.#isLive = isLive;
    this.#buildHead(leave);
    const soon = gathered(150, () => this.#refresh());
    store.on('connection', (event) => {
      if (event.connection_id === this.id) soon();
    });
    setInterval(() => this.#tick(), 1000);
    setInterval(() => {
      const settled = this.#shown?.close && this.#shown.released !== false;
      if (!document.hidden && this.#isLive() && !settled) this.#refresh();
    }, REFRESH_EVERY);
  }

  #buildHead(leave) {
    const dump = (format, text) =>
      h('button', { type: 'button', onclick: () => this.#dump(format) }, text);
    const head = {
      dump: h(
        'details',
        { class: 'menu' },
        h('summary', {}, 'Dump'),
        h(
          'div',
          { class: 'items' },
          dump('internals', 'webrtc-internals (JSON)'),
          dump('rtcstats', 'rtcstats (text)'),
        ),
      ),
      state: badge(''),
      title: h('h2', { class: 'mono', tabindex: '-1' }),
      about: h('p', { class: 'dim about' }),
      close: h(
        'button',
        {
          type: 'button',
          class: 'danger',
          data: { testid: 'close' },
          onclick: () => this.#close(),
        },
        'Close…',
      ),
      stop: h(
        'button',
        { type: 'button', class: 'danger-quiet', onclick: () => this.#stop() },
        'Stop stream…',
      ),
      note: h('p', { class: 'note', role: 'status', hidden: true }),
    };
    this.#head = head;
    this.element.append(
      h(
        'header',
        { class: 'detail-head' },
        h(
          'div',
          { class: 'detail-title' },
          head.state,
          head.title,
          h(
            'button',
            {
              type: 'button',
              class: 'quiet leave',
              'aria-label': 'Close this panel (Esc)',
              title: 'Esc',
              onclick: leave,
            },
            '✕',
          ),
        ),
        head.about,
        h('div', { class: 'buttons' }, head.close, head.stop, head.dump),
        head.note,
      ),
      this.#body,
    );
  }

  /** Shows a connection; `number` selects one if its id was used more than once. */
  open(id, number = null) {
    if (this.id === id && (number === null || number === this.#number)) return;
    this.id = id;
    this.#number = number;
    this.#shown = null;
    this.element.hidden = false;
    Object.assign(this.element.dataset, { id, state: 'unknown' });
    setText(this.#head.title, visible(id));
    this.#head.title.title = id;
    this.#head.state.hidden =
      this.#head.close.hidden =
      this.#head.stop.hidden =
      this.#head.note.hidden =
        true;
    setText(this.#head.about, 'Loading…');
    this.#charts = new Charts();
    const [before, after] = [BEFORE_CHARTS, AFTER_CHARTS].map((parts) =>
      parts.map((part) => new Part(part)),
    );
    this.#parts = [...before, ...after];
    const elements = (parts) => parts.map(({ element }) => element);
    this.#body.replaceChildren(...elements(before), this.#charts.element, ...elements(after));
    this.#body.hidden = true;
    this.#refresh();
  }

  hide() {
    this.id = null;
    this.#shown = null;
    this.element.hidden = true;
    delete this.element.dataset.id;
    delete this.element.dataset.state;
  }

  focus() {
    this.#head.title.focus();
  }

  async #refresh() {
    const { id } = this;
    if (id === null) return;
    const asked = (this.#asked += 1);
    const isStale = () => asked !== this.#asked || id !== this.id;
    try {
      const { connection, statistics } = await read(id, this.#number);
      if (!isStale()) this.#show(connection, statistics);
    } catch (error) {
      if (!isStale()) this.#showProblem(error);
    }
  }

  #showProblem(error) {
    const gone = error.status === 404;
    this.#head.note.hidden = false;
    setText(
      this.#head.note,
      gone
        ? 'The server does not know this connection, or no longer keeps it.'
        : `The connection could not be read: ${error.message}`,
    );
    if (!this.#shown) setText(this.#head.about, '');
    if (gone) this.#head.close.hidden = this.#head.stop.hidden = true;
  }

  #show(connection, statistics) {
    const { connection_state: state, close, group, number } = connection;
    const isFirst = this.#shown === null;
    this.#number ??= number;
    this.#shown = connection;
    this.element.dataset.state = state;
    const head = this.#head;
    head.state.hidden = false;
    head.state.dataset.kind = state;
    setText(head.state, state);
    head.close.hidden = close !== null;
    head.stop.hidden = group === null || close !== null;
    head.note.hidden = number === this.#number;
    setText(
      head.note,
      `This id was used more than once: this is connection #${number}, not #${this.#number}.`,
    );
    this.#tick();
    this.#body.hidden = false;
    if (isFirst) this.#body.scrollTop = 0;
    this.#charts.element.hidden = statistics.samples.length === 0;
    this.#charts.update(statistics.samples, close !== null);
    for (const part of this.#parts) part.update({ connection, statistics });
  }

  #tick() {
    const shown = this.#shown;
    if (!shown) return;
    const parts = [
      `#${shown.number}`,
      shown.group === null ? 'no stream' : `stream ${visible(shown.group)}`,
    ];
    if (shown.close) parts.push(`lifetime ${age(shown.age)}`);
    else parts.push(`${age(this.#store.now() - shown.created_at)} old`);
    setText(this.#head.about, parts.join(' · '));
  }

  #close() {
    closeConnection(this.id, this.#head.about.textContent, this.#head.close);
  }

  #stop() {
    const { group } = this.#shown;
    closeGroup(group, this.#store.countOf(group), this.#head.stop);
  }

  #dump(format) {
    this.#head.dump.open = false;
    attempt('The dump', () => api.saveDump(format, this.id));
  }
}
