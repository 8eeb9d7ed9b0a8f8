// The parts of what is shown of one connection: `of` picks what a part shows (null if it has
// nothing to show), `render` makes its elements.

import { badge, h, words } from './dom.js';
import { bytes, clock, count, dateAndTime, decimal, endpoint, latency, percent, UNKNOWN } from './format.js';
import { candidates, pairs } from './pairs.js';
import { descriptions } from './sdp.js';
import { statistics } from './statistics.js';
import { timeline } from './timeline.js';

export function list(entries) {
  return h('dl', { class: 'facts' }, entries
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

export function smallTable(heads, rows) {
  const head = (title) => {
    const numeric = title.startsWith('>');
    return h('th', { scope: 'col', class: numeric ? 'num' : null }, numeric ? title.slice(1) : title);
  };
  return h('div', { class: 'wide' }, h('table', { class: 'small' }, h('thead', {}, h('tr', {}, heads.map(head))), h('tbody', {}, rows)));
}

const cell = (content, attributes = {}) => h('td', attributes, content);
const number = (text, attributes = {}) => h('td', { class: 'num', ...attributes }, text);

const REASONS = {
  requested: 'It was closed by request.',
  group_closed: 'Its stream was stopped.',
  all_closed: 'All connections were closed.',
  shutdown: 'The server was shut down.',
  dropped: 'The application let go of it.',
  peers_dropped: 'The application let go of all connections.',
  open_cancelled: 'It was never completely opened.',
  remote_closed: 'The remote side closed it.',
  never_connected: 'It did not connect in time.',
  disconnected: 'It was disconnected for too long.',
  failed: 'It had failed.',
  ended: 'It ended by itself.',
};

const ending = {
  id: 'ending',
  title: 'How it ended',
  of: ({ connection: { close, released, held_by, failed_closes } }) =>
    (close || failed_closes ? { close, released, held_by, failed_closes } : null),
  render({ close, released, held_by: heldBy, failed_closes: failures }) {
    const failed = failures ? h('p', { class: 'is-bad' }, `${failures === 1 ? 'One close' : `${failures} closes`} before did not close it.`) : null;
    if (!close) return failed;
    const memory = released === null ? 'unknown' : released ? 'released' : 'still held';
    return [
      h('p', { class: 'verdict' }, h('strong', { data: { testid: 'end-reason' } }, close.reason), ' ', REASONS[close.reason] ?? ''),
      failed,
      list([
        ['When', dateAndTime(close.timestamp)],
        ['Closure', close.closure === null ? 'not seen' : h('span', { class: close.closure === 'forced' ? 'is-warn' : 'is-good' }, close.closure)],
        ['Forced because', close.cause],
        ['The close took', latency(close.duration)],
        ['Memory', h('span', { class: released === false ? 'is-warn' : released ? 'is-good' : '' }, memory)],
        ['Held by', heldBy.length ? h('ul', {}, heldBy.map((holder) => h('li', { class: 'mono' }, holder))) : null],
      ]),
    ];
  },
};

const diagnosis = {
  id: 'diagnosis',
  title: 'Diagnosis',
  of: ({ connection }) => connection.diagnosis,
  render: ({ cause, stage, confidence, evidence, advice }) => [
    h('p', { class: 'verdict' }, h('strong', {}, words(cause)), ` at the stage “${words(stage)}”`),
    h('div', { class: 'confidence' },
      h('meter', { min: 0, max: 1, value: confidence, 'aria-label': 'Confidence' }),
      `${percent(confidence)} sure`),
    h('ul', {}, evidence.map((line) => h('li', {}, line))),
    h('p', { class: 'advice' }, advice),
  ],
};

const errors = {
  id: 'errors',
  title: 'Errors',
  of: ({ connection }) => (connection.errors.length ? connection.errors : null),
  render: (all) => h('ul', { class: 'errors' }, all.map(({ timestamp, error }) =>
    h('li', {}, h('time', { class: 'mono dim' }, clock(timestamp)), ' ', error))),
};

/** When each stage of the set-up was reached. */
function stages({ created_at: created, lifecycle_events: events }) {
  const when = (type, state) => events.find((event) => event.type === type && event.details.state === state)?.timestamp;
  const reached = [
    ['Signalling', when('ice_state_change', 'checking')],
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
  const bar = h('div', { class: 'stages', role: 'img', 'aria-label': known.map(({ name, seconds }) => `${name} ${latency(seconds)}`).join(', ') });
  for (const { name, seconds } of known) {
    const piece = h('span', { class: 'stage', data: { stage: name } });
    piece.style.flexGrow = Math.max(0.02, seconds / (total || 1));
    bar.append(piece);
  }
  const legend = known.map(({ name, seconds }) => h('span', { class: 'key', data: { stage: name } }, `${name} ${latency(seconds)}`));
  return h('div', { class: 'setup' }, bar, h('div', { class: 'keys' }, legend));
}

const facts = {
  id: 'facts',
  title: 'Overview',
  of: ({ connection, statistics }) => ({
    stages: stages(connection), current: statistics.current, quality: connection.quality,
    pair: connection.selected_pair, created: connection.created_at, ended: connection.close !== null, connected: connection.connected_at,
    ice: connection.ice_state, signaling: connection.signaling_state, gathering: connection.gathering_state,
    servers: connection.ice_servers, relay: connection.relay_only,
  }),
  render(it) {
    const { current } = it;
    return [
      it.stages.length ? stageBar(it.stages) : null,
      list([
        ['Opened', dateAndTime(it.created)],
        ['Connected after', it.connected === null ? (it.ended ? 'never' : 'not yet') : latency(it.connected - it.created)],
        ['ICE', it.ice],
        ['Signaling', it.signaling],
        ['Gathering', it.gathering],
        ['Quality', it.quality === null ? null : `${decimal(it.quality)} of 4.5`],
        ['Round trip', current ? latency(current.round_trip_time) : null],
        ['Received', current ? `${bytes(current.bytes_received)} in ${count(current.packets_received)} packets` : null],
        ['Sent', current ? `${bytes(current.bytes_sent)} in ${count(current.packets_sent)} packets` : null],
        ['DTLS', current?.dtls_state ? [current.dtls_state, current.tls_version].filter(Boolean).join(', ') : null],
        ['Ciphers', current?.dtls_cipher ? h('span', { class: 'mono small' }, [current.dtls_cipher, current.srtp_cipher].filter(Boolean).join(' · ')) : null],
        ['ICE servers', it.servers.length ? h('span', { class: 'mono small' }, it.servers.join(', ')) : 'none'],
        ['Relay only', it.relay ? 'yes' : null],
        ['Path', it.pair ? h('span', { class: 'mono' }, `${endpoint(it.pair.local)} ↔ ${endpoint(it.pair.remote)}`) : null],
      ]),
    ];
  },
};

const channels = {
  id: 'channels',
  title: 'Data channels',
  of: ({ connection: { channel_details: all } }) => (all.length ? all : null),
  render: (all) => smallTable(
    ['>Id', 'Label', 'From', 'State', '>Received', '>Sent', '>Bytes in', '>Bytes out'],
    all.map((it) => h('tr', { data: { testid: 'channel', id: it.channel_id } },
      number(String(it.channel_id)),
      cell(it.label || '(no label)', { class: 'name' }),
      cell(it.side ?? UNKNOWN),
      cell(it.state ? badge(it.state) : UNKNOWN),
      number(String(it.messages_received), { 'data-testid': 'messages-received' }),
      number(String(it.messages_sent), { 'data-testid': 'messages-sent' }),
      number(bytes(it.bytes_received)),
      number(bytes(it.bytes_sent)))),
  ),
};

const tracks = {
  id: 'tracks',
  title: 'Tracks',
  of({ connection: { track_details: all }, statistics: { stats } }) {
    const objects = Object.values(stats);
    const streams = objects
      .filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp')
      .map((it) => ({ ...it, codec: stats[it.codecId]?.mimeType ?? UNKNOWN }));
    return all.length || streams.length ? { all, streams } : null;
  },
  render: ({ all, streams }) => [
    smallTable(['Kind', 'From', 'Id', 'Added', 'Removed'], all.map((it) => h('tr', {},
      cell(it.kind ?? UNKNOWN), cell(it.side), cell(it.track_id, { class: 'mono name' }),
      cell(clock(it.added_at), { class: 'mono' }), cell(it.removed_at === null ? UNKNOWN : clock(it.removed_at), { class: 'mono' })))),
    streams.length
      ? smallTable(
        ['RTP', 'Codec', '>SSRC', '>Packets', '>Bytes', '>Lost', '>Jitter', '>NACK', '>PLI'],
        streams.map((it) => h('tr', {},
          cell(`${it.type === 'inbound-rtp' ? 'in' : 'out'}, ${it.kind ?? '?'}`), cell(it.codec),
          number(String(it.ssrc ?? UNKNOWN)), number(count(it.packetsReceived ?? it.packetsSent)),
          number(bytes(it.bytesReceived ?? it.bytesSent)), number(count(it.packetsLost)),
          number(latency(it.jitter)), number(count(it.nackCount)), number(count(it.pliCount)))),
      )
      : null,
  ],
};

const work = {
  id: 'work',
  title: 'Operations and tasks',
  of({ connection: { operations, active_operations: active, async_tasks: tasks, lifecycle_events: events } }) {
    const names = Object.fromEntries(events
      .filter(({ type }) => type === 'async_task_added')
      .map(({ details }) => [details.task_id, details.name]));
    return { operations, active, tasks: tasks.map((id) => [id, names[id] ?? null]) };
  },
  render: ({ operations, active, tasks }) => list([
    ['Operations', `${count(operations.started)} started, ${count(operations.completed)} completed`],
    ['Failed', h('span', { class: operations.failed ? 'is-bad' : '' }, count(operations.failed))],
    ['Canceled', count(operations.canceled)],
    ['Under way', active.length ? h('span', { class: 'mono' }, active.join(', ')) : 'none'],
    ['Tasks', tasks.length
      ? h('ul', { class: 'inline' }, tasks.map(([id, name]) => h('li', {}, name ?? '', ' ', h('span', { class: 'mono dim' }, id))))
      : 'none'],
  ]),
};

export const BEFORE_CHARTS = [ending, diagnosis, errors, facts];
export const AFTER_CHARTS = [
  pairs, candidates, channels, tracks, work, timeline, descriptions, statistics,
];
