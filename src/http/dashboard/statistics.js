// The overview of one connection with the stages of its setup, and all of its W3C webrtc-stats.

import { h, list } from './dom.js';
import { bytes, count, dateAndTime, decimal, endpoint, latency } from './format.js';

/** The duration of each setup stage that was completed. */
function stages({ created_at: created, lifecycle_events: events }) {
  const when = (type, state) =>
    events.find((event) => event.type === type && event.details.state === state)?.timestamp;
  const reached = [
    ['Signaling', when('ice_state_change', 'checking')],
    ['ICE', when('ice_state_change', 'connected') ?? when('ice_state_change', 'completed')],
    ['DTLS', when('connection_state_change', 'connected')],
  ];
  let from = created;
  const known = [];
  for (const [name, at] of reached) {
    if (at === undefined) break;
    known.push({ name, seconds: Math.max(0, at - from) });
    from = Math.max(from, at);
  }
  return known;
}

function stageBar(known) {
  const total = known.reduce((sum, { seconds }) => sum + seconds, 0);
  const bar = h('div', {
    class: 'stages',
    role: 'img',
    'aria-label': known.map(({ name, seconds }) => `${name} ${latency(seconds)}`).join(', '),
  });
  for (const { name, seconds } of known) {
    const piece = h('span', { class: 'stage', data: { stage: name } });
    piece.style.flexGrow = Math.max(0.02, seconds / (total || 1));
    bar.append(piece);
  }
  const legend = known.map(({ name, seconds }) =>
    h('span', { class: 'key', data: { stage: name } }, `${name} ${latency(seconds)}`),
  );
  return h('div', { class: 'setup' }, bar, h('div', { class: 'keys' }, legend));
}

export const facts = {
  id: 'facts',
  title: 'Overview',
  of: ({ connection, statistics }) => ({
    stages: stages(connection),
    current: statistics.current,
    quality: connection.quality,
    pair: connection.selected_pair,
    created: connection.created_at,
    ended: connection.close !== null,
    connected: connection.connected_at,
    ice: connection.ice_state,
    signaling: connection.signaling_state,
    gathering: connection.gathering_state,
    servers: connection.ice_servers,
    relay: connection.relay_only,
  }),
  render(it) {
    const { current } = it;
    return [
      it.stages.length ? stageBar(it.stages) : null,
      list([
        ['Opened', dateAndTime(it.created)],
        [
          'Connected after',
          it.connected === null
            ? it.ended
              ? 'never'
              : 'not yet'
            : latency(it.connected - it.created),
        ],
        ['ICE', it.ice],
        ['Signaling', it.signaling],
        ['Gathering', it.gathering],
        ['Quality', it.quality === null ? null : `${decimal(it.quality)} of 4.5`],
        ['Round trip', current ? latency(current.round_trip_time) : null],
        [
          'Received',
          current
            ? `${bytes(current.bytes_received)} in ${count(current.packets_received)} packets`
            : null,
        ],
        [
          'Sent',
          current ? `${bytes(current.bytes_sent)} in ${count(current.packets_sent)} packets` : null,
        ],
        [
          'DTLS',
          current?.dtls_state
            ? [current.dtls_state, current.tls_version].filter(Boolean).join(', ')
            : null,
        ],
        [
          'Ciphers',
          current?.dtls_cipher
            ? h(
                'span',
                { class: 'mono small' },
                [current.dtls_cipher, current.srtp_cipher].filter(Boolean).join(' · '),
              )
            : null,
        ],
        [
          'ICE servers',
          it.servers.length ? h('span', { class: 'mono small' }, it.servers.join(', ')) : 'none',
        ],
        ['Relay only', it.relay ? 'yes' : null],
        [
          'Path',
          it.pair
            ? h(
                'span',
                { class: 'mono' },
                `${endpoint(it.pair.local)} ↔ ${endpoint(it.pair.remote)}`,
              )
            : null,
        ],
      ]),
    ];
  },
};

function value(known) {
  return typeof known === 'object' ? JSON.stringify(known) : String(known);
}

function object({ id, type, ...fields }) {
  const rows = Object.entries(fields).map(([name, known]) =>
    h('div', {}, h('dt', {}, name), h('dd', { class: 'mono' }, value(known))),
  );
  return h(
    'details',
    { data: { key: id } },
    h('summary', {}, type, ' ', h('span', { class: 'mono dim' }, id)),
    h('dl', { class: 'fields' }, rows),
  );
}

export const statistics = {
  id: 'statistics',
  title: 'All statistics',
  of({ statistics: { stats } }) {
    const objects = Object.values(stats).sort((a, b) =>
      a.type < b.type ? -1 : a.type > b.type ? 1 : 0,
    );
    return objects.length ? objects : null;
  },
  render: (objects) => objects.map(object),
};
