// The candidates of both sides, and the pairs of them that were tried.

import { badge, h } from './dom.js';
import { bytes, count, endpoint, latency, UNKNOWN } from './format.js';

const same = (candidate, other) => other
  && candidate.address === other.address && candidate.port === other.port
  && candidate.protocol === other.protocol;

function tried({ connection, statistics: { stats } }) {
  const objects = Object.values(stats);
  const selected = new Set(objects.map(({ selectedCandidatePairId: id }) => id));
  const found = objects.filter(({ type }) => type === 'candidate-pair').map((pair) => ({
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
    found.push({ local, remote, state: null, selected: true, nominated: null, roundTrip: null, received: null, sent: null, checks: null, answers: null });
  }
  return found.sort((a, b) => b.selected - a.selected);
}

function kindOf(candidate) {
  return candidate ? `${candidate.candidateType ?? candidate.kind ?? candidate.type} ${candidate.protocol}` : UNKNOWN;
}

function side(title, candidates, selected) {
  const items = candidates.map((candidate) => {
    const chosen = same(candidate, selected);
    return h('li', { class: chosen ? 'is-selected' : null },
      h('span', { class: 'kind' }, `${candidate.type} ${candidate.protocol}`),
      h('span', { class: 'mono' }, endpoint(candidate)),
      chosen ? h('span', { class: 'mark' }, 'selected') : null);
  });
  const all = h('ul', { class: 'candidates' }, items);
  const head = `${title} (${count(candidates.length)})`;
  if (candidates.length === 0) return h('div', {}, h('h4', {}, head), h('p', { class: 'dim' }, 'none'));
  return h('div', {}, h('h4', {}, head), all);
}

function pairRow(pair) {
  const place = (candidate) => h('td', {}, h('span', { class: 'kind' }, kindOf(candidate)), ' ', h('span', { class: 'mono' }, endpoint(candidate)));
  const number = (text) => h('td', { class: 'num' }, text);
  const answered = pair.checks === null ? UNKNOWN : `${count(pair.answers)} of ${count(pair.checks)}`;
  return h('tr', { class: pair.selected ? 'is-selected' : null },
    h('td', {}, pair.selected ? h('span', { class: 'mark' }, 'selected') : '', pair.nominated && !pair.selected ? h('span', { class: 'mark' }, 'nominated') : ''),
    place(pair.local),
    place(pair.remote),
    h('td', {}, pair.state ? badge(pair.state) : UNKNOWN),
    h('td', {}, pair.nominated === null ? UNKNOWN : pair.nominated ? 'yes' : 'no'),
    number(latency(pair.roundTrip)), number(bytes(pair.received)), number(bytes(pair.sent)), number(answered));
}

export const pairs = {
  id: 'pairs',
  title: 'Candidates and pairs',
  of: (data) => ({
    tried: tried(data),
    local: data.connection.local_candidates,
    remote: data.connection.remote_candidates,
    selected: data.connection.selected_pair,
    dropped: data.connection.candidates_dropped,
  }),
  render({ tried: all, local, remote, selected, dropped }) {
    const heads = ['', 'Local', 'Remote', 'State', 'Nominated'];
    const numbers = ['RTT', 'Bytes in', 'Bytes out', 'Checks answered'];
    const table = h('table', { class: 'small' },
      h('thead', {}, h('tr', {}, heads.map((title) => h('th', { scope: 'col' }, title)), numbers.map((title) => h('th', { scope: 'col', class: 'num' }, title)))),
      h('tbody', {}, all.map(pairRow)));
    return [
      all.length ? h('div', { class: 'wide' }, table) : h('p', { class: 'dim' }, 'No pair is known yet.'),
      h('div', { class: 'sides' }, side('Local', local, selected?.local), side('Remote', remote, selected?.remote)),
      selected ? h('p', { class: 'dim' }, `The selected pair changed ${selected.changes === 1 ? 'once' : `${count(selected.changes)} times`}.`) : null,
      dropped ? h('p', { class: 'is-warn' }, `${count(dropped)} more candidates were not kept.`) : null,
    ].filter(Boolean);
  },
};
