// The state of the server, kept up to date by its events.

const ENDED_KEPT = 1000;

/** The values that events do not contain, and that are read periodically. */
const NUMBERS = [
  'round_trip_time',
  'bitrate_in',
  'bitrate_out',
  'loss',
  'quality',
  'tracks',
  'data_channels',
  'tasks',
  'errors',
  'cause',
];

const COUNTED = {
  track_added: ['tracks', 1],
  track_removed: ['tracks', -1],
  data_channel_added: ['data_channels', 1],
  data_channel_removed: ['data_channels', -1],
  async_task_added: ['tasks', 1],
  async_task_removed: ['tasks', -1],
  error: ['errors', 1],
};

/**
 * Emits: `rows` (a row has changed), `list` (a row was added or removed), `numbers` (the periodic
 * values were read), `connection` (with the event), `operations`, `summary`, `gap` (with the number
 * of missed events).
 */
export class Store {
  /** Live connections by their numbers, which are unique. */
  connections = new Map();
  /** Operations in progress, by id. */
  operations = new Map();
  /** Operations that have ended, the last one first. */
  ended = [];
  summary = null;
  #inSnapshot = false;
  #clock = 0;
  #listeners = new Map();

  on(kind, listener) {
    const listeners = this.#listeners.get(kind) ?? [];
    listeners.push(listener);
    this.#listeners.set(kind, listeners);
  }

  #tell(kind, what) {
    for (const listener of this.#listeners.get(kind) ?? []) listener(what);
  }

  /** The time of the server, since the clock of this machine may be wrong. */
  now() {
    return Date.now() / 1000 + this.#clock;
  }

  age(row) {
    return (row.ended_at ?? this.now()) - row.created_at;
  }

  /** Called when a stream begins. Its first events may be a snapshot. */
  restart() {
    this.#inSnapshot = false;
  }

  hear(type, data) {
    if (type === 'connection') this.#connection(data);
    else if (type === 'snapshot') this.#snapshot(data);
    else if (type === 'summary') this.#setSummary(data);
    else if (type === 'operation_started') this.#started(data);
    else if (type === 'operation_ended') this.#ended(data);
    else if (type === 'gap') this.#gap(data);
  }

  #gap({ missed }) {
    this.#inSnapshot = false;
    this.#clear();
    this.#tell('gap', missed);
  }

  #clear() {
    this.connections.clear();
    this.operations.clear();
    this.#tell('list');
    this.#tell('operations');
  }

  #snapshot({ summary, connections, operations, more }) {
    if (!this.#inSnapshot) this.#clear();
    this.#inSnapshot = more;
    for (const row of connections) this.connections.set(row.number, row);
    for (const operation of operations) this.operations.set(operation.operation_id, operation);
    this.#tell('list');
    this.#tell('operations');
    this.#setSummary(summary);
  }

  #setSummary(summary) {
    this.summary = summary;
    this.#clock = summary.timestamp - Date.now() / 1000;
    this.#tell('summary');
  }

  #connection(event) {
    const { number, type, details } = event;
    let row = this.connections.get(number);
    if (type === 'opened' && !row) {
      row = opened(event);
      this.connections.set(number, row);
      this.#tell('list');
    }
    if (row && type === 'closed') {
      this.connections.delete(number);
      this.#tell('list');
    } else if (row) {
      change(row, type, details, event.timestamp);
      row.heard = performance.now();
      this.#tell('rows');
    }
    this.#tell('connection', event);
  }

  #started(operation) {
    this.operations.set(operation.operation_id, operation);
    this.#tell('operations');
  }

  #ended(operation) {
    this.operations.delete(operation.operation_id);
    this.ended.unshift(operation);
    if (this.ended.length > ENDED_KEPT) this.ended.length = ENDED_KEPT;
    this.#tell('operations');
  }

  /** Adds operations that ended before the stream began. */
  addEnded(operations) {
    const all = new Map(operations.map((operation) => [operation.operation_id, operation]));
    for (const operation of this.ended) all.set(operation.operation_id, operation);
    this.ended = [...all.values()].sort((a, b) => b.end_time - a.end_time).slice(0, ENDED_KEPT);
    this.#tell('operations');
  }

  /** Updates the rows from a page that was requested at `askedAt`. */
  refresh(rows, askedAt) {
    for (const fresh of rows) {
      const row = this.connections.get(fresh.number);
      if (!row) continue;
      // Events that arrived after the request may be newer than the page.
      if ((row.heard ?? 0) < askedAt) Object.assign(row, fresh);
      else for (const name of NUMBERS) row[name] = fresh[name];
    }
    this.#tell('rows');
    this.#tell('numbers');
  }

  /** The number of live connections in a group. */
  countOf(group) {
    let count = 0;
    for (const row of this.connections.values()) if (row.group === group) count += 1;
    return count;
  }
}

function opened({ number, group, connection_id, timestamp }) {
  return {
    connection_id,
    number,
    group,
    connection_state: 'new',
    ice_state: 'new',
    created_at: timestamp,
    connected_at: null,
    ended_at: null,
    round_trip_time: null,
    bitrate_in: null,
    bitrate_out: null,
    loss: null,
    quality: null,
    tracks: 0,
    data_channels: 0,
    tasks: 0,
    errors: 0,
    close_reason: null,
    cause: null,
    held: null,
  };
}

function change(row, type, details, timestamp) {
  if (type === 'connection_state_change') {
    row.connection_state = details.state;
    if (details.state === 'connected') row.connected_at ??= timestamp;
  } else if (type === 'ice_state_change') {
    row.ice_state = details.state;
  } else if (COUNTED[type]) {
    const [name, step] = COUNTED[type];
    row[name] = Math.max(0, row[name] + step);
  }
}
