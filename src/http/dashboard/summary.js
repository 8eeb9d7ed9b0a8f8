// The health and the numbers at the top of the page.

import { percentile } from './charts.js';
import { h, setText } from './dom.js';
import { age, bitrate, count, latency } from './format.js';

const byId = (id) => document.getElementById(id);

const VERDICTS = { ok: 'Healthy', degraded: 'Degraded', failing: 'Failing' };
let complaintsShown = '';

export function showSummary(store) {
  const { summary } = store;
  if (!summary) return;
  const { health } = summary;
  document.body.dataset.health = health.status;
  setText(byId('health'), VERDICTS[health.status] ?? health.status);
  showComplaints(health.complaints);
  const live = store.connections.size;
  document.title = `${health.status === 'ok' ? '' : `${health.status} · `}${count(live)} live · anypeer`;
  const started = summary.timestamp - summary.uptime_seconds;
  const values = {
    uptime: age(store.now() - started),
    live: count(live),
    ended: count(summary.connection_states.closed),
    channels: count(summary.open_data_channels),
    tasks: count(summary.pending_tasks),
    unreleased: count(summary.unreleased_connections),
    dropped: count(summary.dropped_log_records),
  };
  write({ ...values, ...counts(summary.connection_states) });
  byId('close-all').disabled = live === 0;
  setText(byId('t-connections'), count(live));
  setText(byId('t-operations'), count(summary.operation_stats.started));
  setText(byId('t-tasks'), count(summary.pending_tasks));
  setText(byId('t-closed'), count(summary.connection_states.closed));
  if (live === 0) showTotals(store);
  byId('t-tasks').dataset.bad = summary.stuck_tasks + summary.orphaned_tasks > 0;
}

function counts(states) {
  for (const state of ['disconnected', 'failed'])
    byId(`n-${state}`).dataset.any = states[state] > 0;
  const shown = ['new', 'connecting', 'connected', 'disconnected', 'failed'];
  return Object.fromEntries(shown.map((state) => [state, count(states[state])]));
}

/** Totals over all connections, whose values change only every few seconds. */
export function showTotals(store) {
  let [received, sent] = [0, 0];
  const times = [];
  for (const row of store.connections.values()) {
    received += row.bitrate_in ?? 0;
    sent += row.bitrate_out ?? 0;
    if (row.round_trip_time !== null) times.push(row.round_trip_time);
  }
  const median = times.length ? percentile(Float64Array.from(times).sort(), 0.5) : null;
  write({ in: bitrate(received), out: bitrate(sent), rtt: latency(median) });
}

function write(values) {
  for (const [name, text] of Object.entries(values)) setText(byId(`n-${name}`), text);
}

/** Replaces the issues only if they change, so that screen readers announce only changes. */
function showComplaints(complaints) {
  const text = JSON.stringify(complaints);
  if (text === complaintsShown) return;
  complaintsShown = text;
  byId('complaints').replaceChildren(...complaints.map((complaint) => h('li', {}, complaint)));
}
