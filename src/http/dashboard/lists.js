// The lists of tasks and of closed connections, which are read only while they are visible.

import * as api from './api.js';
import { groupColumn, idColumn, numberColumn } from './connections.js';
import { attempt } from './dialogs.js';
import { badge, gathered, h, setAttribute, setText, words } from './dom.js';
import { age, clock, count, latency, UNKNOWN } from './format.js';
import { VirtualTable } from './table.js';

const TASKS_EVERY = 2000;
const TASK_PAGES = 10;

function filterInput(label, placeholder, changed) {
  const input = h('input', {
    type: 'search',
    placeholder,
    'aria-label': label,
    'aria-keyshortcuts': '/',
    spellcheck: 'false',
    autocomplete: 'off',
    oninput: () => changed(input.value.trim().toLowerCase()),
  });
  return input;
}

function empty(text) {
  return h(
    'div',
    { class: 'empty' },
    h('p', { class: 'empty-none' }, text),
    h('p', { class: 'empty-filtered' }, 'Nothing matches the filter.'),
  );
}

const troubleOf = ({ trouble, orphaned }) =>
  [trouble ? `stuck ${trouble}` : null, orphaned ? 'orphaned' : null].filter(Boolean).join(', ');

function taskColumns() {
  const duration = (id, title, width, priority, text, hint) => ({
    id,
    title,
    width,
    priority,
    numeric: true,
    hint,
    value: (task) => task[id],
    text: (task) => text(task[id]),
  });
  return [
    {
      id: 'trouble',
      title: 'Stuck',
      width: '136px',
      value: (task) => (task.trouble ? 2 : 0) + (task.orphaned ? 1 : 0),
      text: (task) => troubleOf(task) || 'none',
      make: () => badge(''),
      dress: (node, task) => {
        const kind = task.trouble ? 'failed' : task.orphaned ? 'disconnected' : 'none';
        if (node.dataset.kind !== kind) node.dataset.kind = kind;
      },
    },
    {
      id: 'name',
      title: 'Name',
      width: '110px',
      value: (task) => task.name,
      text: (task) => task.name,
    },
    {
      id: 'connection',
      title: 'Connection',
      value: (task) => task.connection_id,
      text: (task) => task.connection_id ?? 'none',
      make: () => h('span', { class: 'mono' }),
      dress: (node, task) => setAttribute(node, 'title', task.connection_id),
    },
    duration('age', 'Age', '92px', 2, age),
    duration(
      'stopping_for',
      'Stopping for',
      '108px',
      3,
      latency,
      'Time since the task was asked to stop',
    ),
    duration('polls', 'Polls', '84px', 4, count),
    duration('busy', 'Busy', '88px', 4, latency, 'Time spent in polls'),
    duration('longest_poll', 'Longest poll', '108px', 3, latency),
    duration('idle', 'Idle', '88px', 3, latency, 'Time since the last poll'),
    {
      id: 'location',
      title: 'Started at',
      priority: 2,
      value: (task) => task.location,
      text: (task) => task.location,
      make: () => h('span', { class: 'mono' }),
      dress: (node, task) =>
        setAttribute(node, 'title', `${task.task_id}, started at ${task.location}`),
    },
  ];
}

export class TasksView {
  element;
  filter;
  table;
  #tasks = [];
  #text = '';
  #note = h('span', { class: 'dim', role: 'status' });
  #reading = false;

  constructor(store, { openId, isLive }) {
    this.table = new VirtualTable({
      label: 'Tasks',
      columns: taskColumns(),
      key: (task) => task.task_id,
      describe: (task) => ({
        testid: 'task',
        id: task.task_id,
        trouble: task.trouble ?? '',
        orphaned: task.orphaned,
      }),
      open: (task) => task.connection_id !== null && openId(task.connection_id),
      sort: { by: 'trouble', down: true },
      empty: empty('No task is running.'),
    });
    this.filter = filterInput('Filter tasks', 'Filter by name, connection, source', (text) => {
      this.#text = text;
      this.table.changed(true);
    });
    this.table.from(() => this.#matching());
    this.element = h(
      'section',
      { class: 'view', 'aria-label': 'Tasks' },
      h('div', { class: 'toolbar' }, this.filter, this.#note),
      this.table.element,
    );
    setInterval(() => {
      if (!document.hidden && !this.element.hidden && isLive()) this.#read();
    }, TASKS_EVERY);
  }

  shown() {
    this.table.changed(true);
    return attempt('Reading the tasks', () => this.#read(true));
  }

  async #read(tell = false) {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const tasks = [];
      for await (const page of api.pages('webrtc/monitor/tasks', TASK_PAGES))
        tasks.push(...page.task_details);
      this.#tasks = tasks;
      this.table.changed();
      const [stuck, orphaned] = [
        tasks.filter((it) => it.trouble),
        tasks.filter((it) => it.orphaned),
      ];
      setText(
        this.#note,
        `${count(tasks.length)} running, ${count(stuck.length)} stuck, ${count(orphaned.length)} orphaned`,
      );
    } catch (error) {
      // A periodic read ignores errors, since it is repeated.
      if (tell) throw error;
    } finally {
      this.#reading = false;
    }
  }

  #matching() {
    this.table.element.classList.toggle('is-filtered', this.#text !== '');
    if (this.#text === '') return this.#tasks;
    return this.#tasks.filter((task) =>
      `${task.name}\n${task.connection_id ?? ''}\n${task.location}\n${troubleOf(task)}`
        .toLowerCase()
        .includes(this.#text),
    );
  }
}

function closedColumns() {
  const duration = (row) => row.ended_at - row.created_at;
  return [
    { ...numberColumn, priority: 4 },
    {
      id: 'ended',
      title: 'Ended',
      numeric: true,
      steady: true,
      width: '112px',
      value: (row) => row.ended_at,
      text: (row) => clock(row.ended_at),
    },
    idColumn(),
    { ...groupColumn, priority: 3 },
    {
      id: 'reason',
      title: 'Reason',
      width: '138px',
      value: (row) => row.close_reason,
      text: (row) => words(row.close_reason ?? UNKNOWN),
    },
    {
      id: 'lived',
      title: 'Lifetime',
      numeric: true,
      priority: 2,
      width: '96px',
      value: duration,
      text: (row) => age(duration(row)),
    },
    {
      id: 'connected',
      title: 'Was connected',
      priority: 4,
      width: '118px',
      value: (row) => row.connected_at !== null,
      text: (row) => (row.connected_at === null ? 'never' : 'yes'),
      dress: (cell, row) => cell.classList.toggle('is-warn', row.connected_at === null),
    },
    {
      id: 'cause',
      title: 'Cause',
      priority: 3,
      width: '168px',
      value: (row) => row.cause,
      text: (row) => words(row.cause ?? UNKNOWN),
    },
    {
      id: 'errors',
      title: 'Errors',
      numeric: true,
      priority: 4,
      width: '74px',
      value: (row) => row.errors,
      text: (row) => count(row.errors),
      dress: (cell, row) => cell.classList.toggle('is-bad', row.errors > 0),
    },
    {
      id: 'held',
      title: 'Memory',
      width: '98px',
      priority: 2,
      hint: 'Whether the application still holds the connection, so that its memory is not freed',
      value: (row) => row.held,
      text: (row) => (row.held === null ? UNKNOWN : row.held ? 'retained' : 'released'),
      make: () => badge(''),
      dress: (node, row) => {
        const kind = row.held ? 'disconnected' : 'none';
        if (node.dataset.kind !== kind) node.dataset.kind = kind;
      },
    },
  ];
}

export class ClosedView {
  element;
  filter;
  table;
  #rows = new Map();
  #text = '';
  #note = h('span', { class: 'dim', role: 'status' });
  #more = h(
    'button',
    { type: 'button', hidden: true, onclick: () => this.#readMore() },
    'Load older connections',
  );
  #next = null;

  constructor(store, { open }) {
    this.table = new VirtualTable({
      label: 'Closed connections',
      columns: closedColumns(),
      key: (row) => row.number,
      describe: (row) => ({
        testid: 'closed-row',
        id: row.connection_id,
        reason: row.close_reason ?? '',
      }),
      open,
      sort: { by: 'ended', down: true },
      empty: empty('No connection has been closed yet.'),
    });
    this.filter = filterInput(
      'Filter closed connections',
      'Filter by id, stream, reason or cause',
      (text) => {
        this.#text = text;
        this.table.changed(true);
      },
    );
    this.table.from(() => this.#matching());
    this.element = h(
      'section',
      { class: 'view', 'aria-label': 'Closed connections' },
      h('div', { class: 'toolbar' }, this.filter, this.#note, this.#more),
      this.table.element,
    );
    const soon = gathered(300, () => this.#readNewest().catch(() => {}));
    store.on('connection', ({ type }) => {
      if (!this.element.hidden && (type === 'closed' || type === 'released')) soon();
    });
    store.on('gap', () => {
      // The rows may be from an earlier process of the server.
      this.#rows.clear();
      this.#next = null;
      soon();
    });
  }

  shown() {
    this.table.changed(true);
    return attempt('Reading the closed connections', () => this.#readNewest());
  }

  async #readNewest() {
    const page = await api.getJson('webrtc/monitor/closed?view=row&limit=500');
    const isFirst = this.#rows.size === 0;
    this.#take(page, isFirst);
  }

  async #readMore() {
    this.#more.disabled = true;
    await attempt('Reading older connections', async () => {
      this.#take(
        await api.getJson(
          `webrtc/monitor/closed?view=row&limit=500&after=${encodeURIComponent(this.#next)}`,
        ),
        true,
      );
    });
    this.#more.disabled = false;
  }

  #take({ connections, total, next }, isLast) {
    for (const row of connections) this.#rows.set(row.number, row);
    if (isLast) this.#next = next;
    this.#more.hidden = this.#next === null;
    const kept =
      total > this.#rows.size
        ? `${count(this.#rows.size)} of ${count(total)} closed connections shown`
        : `${count(total)} closed ${total === 1 ? 'connection' : 'connections'}`;
    setText(this.#note, kept);
    this.table.changed();
  }

  #matching() {
    this.table.element.classList.toggle('is-filtered', this.#text !== '');
    const rows = [...this.#rows.values()];
    if (this.#text === '') return rows;
    return rows.filter((row) =>
      `${row.connection_id}\n${row.group ?? ''}\n${words(row.close_reason ?? '')}\n${words(row.cause ?? '')}`
        .toLowerCase()
        .includes(this.#text),
    );
  }
}
