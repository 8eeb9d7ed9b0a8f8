// The candidates of both sides, and the candidate pairs.

import { badge, h } from './dom.js';
import { bytes, count, endpoint, latency, UNKNOWN } from './format.js';

const same = (candidate, other) =>
  other &&
  candidate.address === other.address &&
  candidate.port === other.port &&
  candidate.protocol === other.protocol;

function tried({ connection, statistics: { stats } }) {
  const objects = Object.values(stats);
  const selected = new Set(objects.map(({ selectedCandidatePairId: id }) => id));
  const found = objects
    .filter(({ type }) => type === 'candidate-pair')
    .map((pair) => ({
      local: stats[pair.localCandidateId] ?? null,
      remote: stats[pair.remoteCandidateId] ?? null,
      state: pair.state ?? null,
      selected: selected.has(pair.id),
      nominated: pair.nominated ?? null,
      roundTrip: pair.currentRoundTripTime ?? null,
      received: pair.bytesReceived ?? null,
      sent: pair.bytesSent ?? null,
      checks: pair.requestsSent ?? null,
      answers: pair.responsesReceived ?? null,
    }));
  if (found.length === 0 && connection.selected_pair) {
    const { local, remote } = connection.selected_pair;
    found.push({
      local,
      remote,
      state: null,
      selected: true,
      nominated: null,
      roundTrip: null,
      received: null,
      sent: null,
      checks: null,
      answers: null,
    });
  }
  return found.sort((a, b) => b.selected - a.selected);
}

function kindOf(candidate) {
  return candidate
    ? `${candidate.candidateType ?? candidate.kind ?? candidate.type} ${candidate.protocol}`
    : UNKNOWN;
}

function side(title, candidates, selected) {
  const items = candidates.map((candidate) => {
    const chosen = same(candidate, selected);
    return h(
      'li',
      { class: chosen ? 'is-selected' : null },
      h('span', { class: 'kind' }, `${candidate.type} ${candidate.protocol}`),
      h('span', { class: 'mono' }, endpoint(candidate)),
      chosen ? h('span', { class: 'mark' }, 'selected') : null,
    );
  });
  const all = h('ul', { class: 'candidates' }, items);
  const head = `${title} (${count(candidates.length)})`;
  if (candidates.length === 0)
    return h('div', {}, h('h4', {}, head), h('p', { class: 'dim' }, 'none'));
  return h('div', {}, h('h4', {}, head), all);
}

function pairRow(pair) {
  const place = (candidate) =>
    h(
      'td',
      {},
      h('div', { class: 'mono' }, endpoint(candidate)),
      h('div', { class: 'kind' }, kindOf(candidate)),
    );
  const number = (text) => h('td', { class: 'num' }, text);
  const answered =
    pair.checks === null ? UNKNOWN : `${count(pair.answers)} of ${count(pair.checks)}`;
  const marks = [pair.selected ? 'selected' : null, pair.nominated ? 'nominated' : null].filter(
    Boolean,
  );
  return h(
    'tr',
    { class: pair.selected ? 'is-selected' : null },
    place(pair.local),
    place(pair.remote),
    h(
      'td',
      {},
      h('div', {}, pair.state ? badge(pair.state) : UNKNOWN),
      h('div', { class: 'good' }, marks.join(', ')),
    ),
    number(latency(pair.roundTrip)),
    number(bytes(pair.received)),
    number(bytes(pair.sent)),
    number(answered),
  );
}

export const pairs = {
  id: 'pairs',
  title: 'Candidate pairs',
  of: (data) => ({ all: tried(data), changes: data.connection.selected_pair?.changes ?? 0 }),
  render({ all, changes }) {
    if (all.length === 0) return h('p', { class: 'dim' }, 'No candidate pairs yet.');
    const numbers = ['RTT', 'In', 'Out', 'Checks answered'];
    const heads = [
      ...['Local', 'Remote', 'State'].map((title) => h('th', { scope: 'col' }, title)),
      ...numbers.map((title) => h('th', { scope: 'col', class: 'num' }, title)),
    ];
    const table = h(
      'table',
      { class: 'small' },
      h('thead', {}, h('tr', {}, heads)),
      h('tbody', {}, all.map(pairRow)),
    );
    const changed =
      changes > 1
        ? h('p', { class: 'dim' }, `The selected pair changed ${count(changes - 1)} ${changes === 2 ? 'time' : 'times'}.`)
        : null;
    return [h('div', { class: 'wide' }, table), changed];
  },
};

export const candidates = {
  id: 'candidates',
  title: 'Candidates',
  of: ({
    connection: {
      local_candidates: local,
      remote_candidates: remote,
      selected_pair: selected,
      candidates_dropped: dropped,
    },
  }) => (local.length + remote.length ? { local, remote, selected, dropped } : null),
  render: ({ local, remote, selected, dropped }) => [
    h(
      'div',
      { class: 'sides' },
      side('Local', local, selected?.local),
      side('Remote', remote, selected?.remote),
    ),
    dropped ? h('p', { class: 'is-warn' }, `${count(dropped)} more were not kept.`) : null,
  ],
};
