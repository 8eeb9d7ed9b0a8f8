// Requests to the server of this page. Only this module holds the token.

const BASE = new URL('../', import.meta.url);

let token = null;
let askForToken = async () => null;
let asking = null;

/** `ask(refused)` resolves to a token, or to null if none is given. */
export function onTokenNeeded(ask) {
  askForToken = ask;
}

/** An error response, or a request that failed. */
export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail || title);
    this.status = status;
    this.title = title;
  }
}

export function url(path) {
  return new URL(path, BASE);
}

/** Whether a URL path can contain the id (WHATWG URL, "double-dot URL path segment"). */
const isSegment = (id) => id !== '.' && id !== '..';

/** One segment of a path. */
export function segment(id) {
  if (!isSegment(id)) throw new Problem(0, 'Invalid URL', `No URL path can contain the id "${id}"`);
  return encodeURIComponent(id);
}

/** Sends a request with the token, if any, and asks for a token if the server requires one. */
export async function send(path, options = {}) {
  for (;;) {
    const used = token;
    const headers = { ...options.headers };
    if (used !== null) headers.Authorization = `Bearer ${used}`;
    const response = await fetch(url(path), { cache: 'no-store', ...options, headers });
    if (response.status !== 401) return response;
    if (token === used && !(await newToken(used !== null))) return response;
  }
}

function newToken(refused) {
  asking ??= askForToken(refused)
    .then((given) => {
      if (given !== null) token = given;
      return given !== null;
    })
    .finally(() => {
      asking = null;
    });
  return asking;
}

export async function problemOf(response) {
  const said = await response.json().catch(() => ({}));
  const title = said.title ?? `HTTP ${response.status}`;
  return new Problem(response.status, title, said.detail ?? said.error ?? '');
}

export async function getJson(path, options) {
  const response = await send(path, options);
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

async function withStatistics(path) {
  const [{ connection }, statistics] = await Promise.all([
    getJson(path),
    getJson(`${path}/stats`),
  ]);
  return { connection, statistics };
}

/** A connection that has ended, with its statistics. */
export function closedConnection(number) {
  return withStatistics(`webrtc/monitor/closed/${number}`);
}

/** The live connection with this id, or else the last one that has ended, with its statistics. */
export async function connection(id) {
  if (isSegment(id)) return withStatistics(`webrtc/monitor/connections/${encodeURIComponent(id)}`);
  const query = `id=${encodeURIComponent(id)}`;
  const { connections: live } = await getJson(`webrtc/monitor/connections?${query}`);
  if (Object.hasOwn(live, id)) {
    const { stats: current, samples } = live[id];
    return { connection: live[id], statistics: { stats: {}, current, samples } };
  }
  const { connections } = await getJson(`webrtc/monitor/closed?view=row&limit=1&${query}`);
  if (connections.length === 0) throw new Problem(404, 'Not found', 'Connection not found');
  return closedConnection(connections[0].number);
}

/** Requests a close and returns its outcome, even if the response has an error status. */
export async function close(path, method = 'POST') {
  const response = await send(path, { method });
  if (response.ok) return response.json();
  const copy = response.clone();
  const said = await response.json().catch(() => ({}));
  if (typeof said.success === 'boolean') return said;
  throw await problemOf(copy);
}

/** The pages of a list, up to `most` of them. */
export async function* pages(path, most = Infinity) {
  let next = null;
  for (let page = 0; page < most; page += 1) {
    const after = next === null ? '' : `&after=${encodeURIComponent(next)}`;
    const answer = await getJson(`${path}${path.includes('?') ? '&' : '?'}limit=500${after}`);
    yield answer;
    next = answer.next;
    if (next === null) return;
  }
}

/** Saves a dump of one connection, or of all, as a file. */
export async function saveDump(format, connection = null) {
  const query = new URLSearchParams({ format });
  if (connection !== null) query.set('connection', connection);
  const response = await send(`webrtc/monitor/dump?${query}`);
  if (!response.ok) throw await problemOf(response);
  const of = connection === null ? '' : `_${connection.replace(/[^\w.-]+/g, '_').slice(0, 80)}`;
  const name =
    format === 'internals' ? `webrtc_internals_dump${of}.json` : `rtcstats_dump${of}.txt`;
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return name;
}
