// The page: header, tabs, routes and keyboard shortcuts.

import * as api from './api.js';
import { ConnectionsView } from './connections.js';
import { Detail } from './detail.js';
import * as dialogs from './dialogs.js';
import { connectionHash, gathered, setText } from './dom.js';
import { ClosedView, TasksView } from './lists.js';
import { Live } from './live.js';
import { OperationsView } from './operations.js';
import { Store } from './store.js';
import { showSummary, showTotals } from './summary.js';
import { toggleTheme, useTheme } from './theme.js';

const byId = (id) => document.getElementById(id);

const store = new Store();
const live = new Live((type, data) => store.hear(type, data), showLive);
const isLive = () => live.state === 'live';

api.onTokenNeeded(dialogs.token);

let tab = 'connections';
const open = (row) => show(row.connection_id, row.number);
const detail = new Detail(store, { isLive, leave: () => leaveDetail() });
const views = {
  connections: new ConnectionsView(store, { open, isLive }),
  operations: new OperationsView(store),
  tasks: new TasksView(store, { openId: (id) => show(id), isLive }),
  closed: new ClosedView(store, { open }),
};
const tabs = [...document.querySelectorAll('[data-tab]')];

// The connection to show. The URL has only the id, which several connections may have had, one
// after the other.
let meant = null;

function show(id, number = null) {
  meant = { id, number };
  if (location.hash === connectionHash(id)) route();
  else location.hash = connectionHash(id);
}

function leaveDetail() {
  if (detail.id === null) return;
  location.hash = `#/${tab}`;
  views[tab].table.focus();
}

function route() {
  const [, name, rest] = /^#\/([a-z]+)(?:\/(.*))?$/s.exec(location.hash) ?? [];
  if (name === 'connection' && rest) {
    const id = decoded(rest);
    detail.open(id, meant?.id === id ? meant.number : null);
    document.body.classList.add('has-detail');
    detail.focus();
  } else {
    if (name in views) tab = name;
    detail.hide();
    document.body.classList.remove('has-detail');
  }
  meant = null;
  showTab();
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function showTab() {
  for (const button of tabs) {
    const chosen = button.dataset.tab === tab;
    button.setAttribute('aria-selected', chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  for (const [name, { element }] of Object.entries(views)) {
    const wasHidden = element.hidden;
    element.hidden = name !== tab;
    if (wasHidden && name === tab) views[name].shown?.();
  }
  views[tab].table.render();
}

function showLive({ state, reason, retries }) {
  const { body } = document;
  if (state === 'live' || state === 'connecting') store.restart();
  body.dataset.live = state;
  const text = {
    live: 'Live',
    connecting: 'Connecting',
    paused: 'Paused',
    lost: retries ? 'Reconnecting' : 'Not connected',
  }[state];
  setText(byId('live'), text);
  byId('live').title = reason;
  // The banner stays visible while the page reconnects, so that it does not flicker.
  if (state !== 'connecting') {
    byId('lost').hidden = state !== 'lost';
    setText(byId('lost-reason'), reason);
  }
  setText(byId('pause'), state === 'paused' ? 'Resume' : state === 'lost' ? 'Reconnect' : 'Pause');
}

function pauseOrResume() {
  if (live.state === 'paused' || live.state === 'lost') live.start();
  else live.stop();
}

function isTyping({ target }) {
  return target.closest('input, textarea, select') !== null;
}

function onKey(event) {
  if (document.querySelector('dialog[open]') || event.ctrlKey || event.metaKey || event.altKey)
    return;
  if (event.key === 'Escape') {
    escape(event);
    return;
  }
  if (isTyping(event)) {
    if (event.key === 'Enter' || event.key === 'ArrowDown') {
      event.preventDefault();
      views[tab].table.focus();
    }
    return;
  }
  const names = Object.keys(views);
  if (event.key === '/') {
    event.preventDefault();
    views[tab].filter.focus();
    views[tab].filter.select();
  } else if (event.key === '?') {
    dialogs.help();
  } else if (event.key === 'p') {
    pauseOrResume();
  } else if (event.key >= '1' && event.key <= String(names.length)) {
    location.hash = `#/${names[event.key - 1]}`;
  } else if (event.key === 'j' || event.key === 'k') {
    const { table } = views[tab];
    if (!event.target.closest('.grid') && !table.focus()) table.onKey(event);
  }
}

function escape(event) {
  const menu = event.target.closest('details.menu[open]');
  const input = event.target.closest('input');
  if (menu) {
    menu.open = false;
    menu.querySelector('summary').focus();
  } else if (input && input.value) {
    input.value = '';
    input.dispatchEvent(new Event('input'));
  } else if (input) {
    views[tab].table.focus();
  } else {
    leaveDetail();
  }
}

function onTabKey(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const to = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  location.hash = `#/${to.dataset.tab}`;
  to.focus();
}

async function saveDump(format) {
  byId('dump').open = false;
  await dialogs.attempt('The dump', () => api.saveDump(format));
}

function start() {
  useTheme(byId('theme'));
  byId('views').append(...Object.values(views).map(({ element }) => element));
  byId('main').append(detail.element);
  for (const { element } of Object.values(views)) element.hidden = true;
  for (const button of tabs) {
    button.addEventListener('click', () => {
      location.hash = `#/${button.dataset.tab}`;
    });
    button.addEventListener('keydown', onTabKey);
  }
  byId('pause').addEventListener('click', pauseOrResume);
  byId('theme').addEventListener('click', () => toggleTheme(byId('theme')));
  byId('help-button').addEventListener('click', () => dialogs.help());
  byId('close-all').addEventListener('click', (event) =>
    dialogs.closeAll(store.connections.size, event.currentTarget),
  );
  for (const format of ['internals', 'rtcstats'])
    byId(`dump-${format}`).addEventListener('click', () => saveDump(format));
  for (const button of document.querySelectorAll('dialog [value=""]')) {
    button.addEventListener('click', () => button.closest('dialog').close(''));
  }
  document.addEventListener('keydown', onKey);
  document.addEventListener('click', ({ target }) => {
    for (const menu of document.querySelectorAll('.menu[open]')) {
      if (!menu.contains(target)) menu.open = false;
    }
    if (target.closest('dialog a')) target.closest('dialog').close('');
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && live.state === 'lost' && live.retries) live.start();
  });
  window.addEventListener('hashchange', route);
  const summarize = gathered(250, () => showSummary(store));
  store.on('summary', summarize);
  store.on('list', summarize);
  setInterval(summarize, 1000);
  const total = gathered(1000, () => showTotals(store));
  store.on('list', total);
  store.on('numbers', total);
  store.on('gap', (missed) =>
    dialogs.notice(
      'warn',
      missed === null
        ? 'The server was restarted, or too many events were missed. The data was read from the server again.'
        : `${missed} events were missed. The data was read from the server again.`,
    ),
  );
  route();
  live.start();
}

start();
