// The last statistics, as W3C webrtc-stats has them.

import { h } from './dom.js';

function value(known) {
  return typeof known === 'object' ? JSON.stringify(known) : String(known);
}

function object({ id, type, timestamp: _, ...fields }) {
  const rows = Object.entries(fields).map(([name, known]) => h('div', {}, h('dt', {}, name), h('dd', { class: 'mono' }, value(known))));
  return h('details', { data: { key: id } }, h('summary', {}, type, ' ', h('span', { class: 'mono dim' }, id)), h('dl', { class: 'fields' }, rows));
}

export const statistics = {
  id: 'statistics',
  title: 'All statistics',
  of({ statistics: { stats } }) {
    const objects = Object.values(stats).sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
    return objects.length ? objects : null;
  },
  render: (objects) => objects.map(object),
};
