// The sections of the panel of one connection: `of` selects the data of a section (null hides the
// section), `render` builds its elements.

import { badge, h, list, smallTable, words } from './dom.js';
import { bytes, clock, count, dateAndTime, latency, percent, UNKNOWN } from './format.js';
import { candidates, pairs } from './pairs.js';
import { descriptions } from './sdp.js';
import { facts, statistics as everything } from './statistics.js';
import { timeline } from './timeline.js';

const cell = (content, attributes = {}) => h('td', attributes, content);
const number = (text, attributes = {}) => h('td', { class: 'num', ...attributes }, text);

const REASONS = {
  requested: 'The connection was closed by request.',
  group_closed: 'The stream of the connection was stopped.',
  all_closed: 'All connections were closed.',
  shutdown: 'The server was shut down.',
  dropped: 'The application dropped the last owner of the connection.',
  peers_dropped: 'The application dropped the set of connections.',
  open_cancelled: 'Opening the connection failed or was cancelled.',
  remote_closed: 'The remote side closed the connection.',
  never_connected: 'The connection did not connect in time.',
  disconnected: 'The connection stayed disconnected for too long.',
  failed: 'The connection stayed failed for too long.',
  ended: 'The connection ended without being closed.',
};

const ending = {
  id: 'ending',
  title: 'How the connection ended',
  of: ({ connection: { close, released, held_by: holders } }) =>
    close ? { close, released, holders } : null,
  render({ close, released, holders }) {
    const memory = released === null ? 'unknown' : released ? 'released' : 'retained';
    const tone = released === null ? '' : released ? 'is-good' : 'is-warn';
    const how = close.closure === 'forced' ? 'is-warn' : 'is-good';
    return [
      h(
        'p',
        { class: 'verdict' },
        h('strong', { data: { testid: 'end-reason' } }, close.reason),
        ` ${REASONS[close.reason] ?? ''}`,
      ),
      list([
        ['Time', dateAndTime(close.timestamp)],
        ['Closed', close.closure ? h('span', { class: how }, close.closure) : 'not observable'],
        ['Cause', close.cause],
        ['Close duration', latency(close.duration)],
        ['Memory', h('span', { class: tone }, memory)],
        [
          'Held by',
          holders.length
            ? h(
                'ul',
                {},
                holders.map((it) => h('li', { class: 'mono' }, it)),
              )
            : null,
        ],
      ]),
    ];
  },
};

const failedCloses = {
  id: 'failed-closes',
  title: 'Failed closes',
  of: ({ connection: { failed_closes: failed } }) => (failed ? failed : null),
  render: (failed) =>
    h(
      'p',
      { class: 'is-bad' },
      failed === 1
        ? 'One close did not close the connection.'
        : `${count(failed)} closes did not close the connection.`,
    ),
};

const diagnosis = {
  id: 'diagnosis',
  title: 'Diagnosis',
  of: ({ connection }) => connection.diagnosis,
  render: ({ cause, stage, confidence, evidence, advice }) => [
    h('p', { class: 'verdict' }, h('strong', {}, words(cause)), ` at the stage “${words(stage)}”`),
    h(
      'div',
      { class: 'confidence' },
      h('meter', { min: 0, max: 1, value: confidence, 'aria-label': 'Confidence' }),
      `${percent(confidence)} confidence`,
    ),
    h(
      'ul',
      {},
      evidence.map((line) => h('li', {}, line)),
    ),
    h('p', { class: 'advice' }, advice),
  ],
};

const errors = {
  id: 'errors',
  title: 'Errors',
  of: ({ connection }) => (connection.errors.length ? connection.errors : null),
  render: (all) =>
    h(
      'ul',
      { class: 'errors' },
      all.map(({ timestamp, error }) =>
        h('li', {}, h('time', { class: 'mono dim' }, clock(timestamp)), ' ', error),
      ),
    ),
};

const channels = {
  id: 'channels',
  title: 'Data channels',
  of: ({ connection: { channel_details: all } }) => (all.length ? all : null),
  render: (all) =>
    smallTable(
      ['>Id', 'Label', 'From', 'State', '>Received', '>Sent', '>Bytes in', '>Bytes out'],
      all.map((it) =>
        h(
          'tr',
          { data: { testid: 'channel', id: it.channel_id } },
          number(String(it.channel_id)),
          cell(it.label || '(no label)', { class: 'name' }),
          cell(it.side ?? UNKNOWN),
          cell(it.state ? badge(it.state) : UNKNOWN),
          number(String(it.messages_received), { 'data-testid': 'messages-received' }),
          number(String(it.messages_sent), { 'data-testid': 'messages-sent' }),
          number(bytes(it.bytes_received)),
          number(bytes(it.bytes_sent)),
        ),
      ),
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
    smallTable(
      ['Kind', 'From', 'Id', 'Added', 'Removed'],
      all.map((it) =>
        h(
          'tr',
          {},
          cell(it.kind ?? UNKNOWN),
          cell(it.side),
          cell(it.track_id, { class: 'mono name' }),
          cell(clock(it.added_at), { class: 'mono' }),
          cell(it.removed_at === null ? UNKNOWN : clock(it.removed_at), { class: 'mono' }),
        ),
      ),
    ),
    streams.length
      ? smallTable(
          ['RTP', 'Codec', '>SSRC', '>Packets', '>Bytes', '>Lost', '>Jitter', '>NACK', '>PLI'],
          streams.map((it) =>
            h(
              'tr',
              {},
              cell(`${it.type === 'inbound-rtp' ? 'in' : 'out'}, ${it.kind ?? '?'}`),
              cell(it.codec),
              number(String(it.ssrc ?? UNKNOWN)),
              number(count(it.packetsReceived ?? it.packetsSent)),
              number(bytes(it.bytesReceived ?? it.bytesSent)),
              number(count(it.packetsLost)),
              number(latency(it.jitter)),
              number(count(it.nackCount)),
              number(count(it.pliCount)),
            ),
          ),
        )
      : null,
  ],
};

const work = {
  id: 'work',
  title: 'Operations and tasks',
  of({
    connection: {
      operations,
      active_operations: active,
      async_tasks: tasks,
      lifecycle_events: events,
    },
  }) {
    const names = Object.fromEntries(
      events
        .filter(({ type }) => type === 'async_task_added')
        .map(({ details }) => [details.task_id, details.name]),
    );
    return { operations, active, tasks: tasks.map((id) => [id, names[id] ?? null]) };
  },
  render: ({ operations, active, tasks }) =>
    list([
      [
        'Operations',
        `${count(operations.started)} started, ${count(operations.completed)} completed`,
      ],
      ['Failed', h('span', { class: operations.failed ? 'is-bad' : '' }, count(operations.failed))],
      ['Canceled', count(operations.canceled)],
      ['In progress', active.length ? h('span', { class: 'mono' }, active.join(', ')) : 'none'],
      [
        'Tasks',
        tasks.length
          ? h(
              'ul',
              { class: 'inline' },
              tasks.map(([id, name]) =>
                h('li', {}, name ?? '', ' ', h('span', { class: 'mono dim' }, id)),
              ),
            )
          : 'none',
      ],
    ]),
};

export const BEFORE_CHARTS = [ending, failedCloses, diagnosis, errors, facts];
export const AFTER_CHARTS = [
  pairs,
  candidates,
  channels,
  tracks,
  work,
  timeline,
  descriptions,
  everything,
];
