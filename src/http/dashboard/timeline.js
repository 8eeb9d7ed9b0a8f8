// The events of a connection, in order.

import { h, words } from './dom.js';
import { clock, count } from './format.js';

const SERIOUS = new Set([
  'error',
  'candidate_error',
  'dtls_alert',
  'handler_stalled',
  'not_closed',
]);

function toneOf({ type, details }) {
  if (SERIOUS.has(type) || details.state === 'failed') return 'bad';
  if (details.state === 'disconnected') return 'warn';
  if (details.state === 'connected' || details.state === 'completed') return 'good';
  if (type === 'close_started' || type === 'closed' || type === 'released') return 'end';
  return type.endsWith('_state_change') ? 'state' : 'plain';
}

const TITLES = {
  connection_state_change: 'connection',
  ice_state_change: 'ICE',
  signaling_state_change: 'signaling',
  gathering_state_change: 'gathering',
  data_channel_added: 'channel added',
  data_channel_removed: 'channel removed',
  async_task_added: 'task added',
  async_task_removed: 'task ended',
  dtls_alert: 'DTLS alert',
};

/** The details of an event, as text. */
function said({ type, details }) {
  switch (type) {
    case 'description_set':
      return `${details.side} ${details.sdp_type}${details.ice_restart === 'true' ? ', ICE restart' : ''}`;
    case 'candidate_added':
      return `${details.side} ${details.candidate}`;
    case 'data_channel_added':
      return `${details.label || '(no label)'}, id ${details.channel_id}`;
    case 'async_task_added':
      return `${details.name}, ${details.task_id}`;
    case 'async_task_removed':
      return `${details.name}, ${details.task_id}: ${words(details.end)}`;
    case 'close_started':
    case 'closed':
      return words(details.reason);
    default:
      return Object.values(details).join(', ');
  }
}

function since(seconds) {
  return `+${seconds < 10 ? seconds.toFixed(3) : seconds.toFixed(1)} s`;
}

export const timeline = {
  id: 'timeline',
  title: 'Timeline',
  of: ({
    connection: {
      lifecycle_events: events,
      lifecycle_events_dropped: dropped,
      created_at: created,
    },
  }) => (events.length ? { events, dropped, created } : null),
  render: ({ events, dropped, created }) => [
    dropped ? h('p', { class: 'dim' }, `${count(dropped)} other events were not kept.`) : null,
    h(
      'ol',
      { class: 'timeline' },
      events.map((event) =>
        h(
          'li',
          { data: { tone: toneOf(event) } },
          h(
            'time',
            { class: 'mono', title: clock(event.timestamp) },
            since(event.timestamp - created),
          ),
          h('span', { class: 'what' }, TITLES[event.type] ?? words(event.type)),
          h('span', { class: 'said' }, said(event)),
        ),
      ),
    ),
  ],
};
