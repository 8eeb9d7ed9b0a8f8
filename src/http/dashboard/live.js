// Server-sent events over fetch, since EventSource cannot send a token.

import { problemOf, send } from './api.js';

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
/** The server sends something at least every 15 s. */
const SILENCE = 40_000;

/** Splits a text that arrives in parts into events (WHATWG HTML, section 9.2.6). */
export class EventParser {
  #rest = '';
  #type = '';
  #data = [];
  #id = null;

  /** The events that are complete: `{type, data, id}` of each. */
  push(text) {
    const events = [];
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      const event = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line) {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
    return null;
  }

  #end() {
    const event = this.#data.length
      ? { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id }
      : null;
    this.#type = '';
    this.#data = [];
    this.#id = null;
    return event;
  }
}

/** Follows the events, and continues after the last event when a lost connection is restored. */
export class Live {
  #hear;
  #tell;
  #lastId = null;
  #abort = null;
  #delay = FIRST_DELAY;
  #timer = null;
  #silence = null;
  state = 'connecting';
  reason = '';
  /** Whether the page reconnects by itself. */
  retries = true;

  /** `hear(type, data)` for each event, `tell(live)` for each change of state. */
  constructor(hear, tell) {
    this.#hear = hear;
    this.#tell = tell;
  }

  start() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = new AbortController();
    this.#set('connecting');
    this.#follow(this.#abort);
  }

  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#abort?.abort();
    this.#abort = null;
    this.#set('paused');
  }

  #set(state, reason = '') {
    this.state = state;
    this.reason = reason;
    this.#tell(this);
  }

  async #follow(abort) {
    let reason = 'the server ended the stream';
    this.retries = true;
    try {
      const headers = { Accept: 'text/event-stream' };
      if (this.#lastId !== null) headers['Last-Event-ID'] = this.#lastId;
      this.#watchSilence(abort);
      const response = await send('webrtc/monitor/events', { headers, signal: abort.signal });
      if (response.ok) {
        await this.#read(response.body, abort);
      } else {
        // The server would refuse the same id again.
        if (response.status === 400) this.#lastId = null;
        this.retries = response.status !== 401;
        reason = (await problemOf(response)).message;
      }
    } catch (error) {
      reason = error.message;
    }
    clearTimeout(this.#silence);
    if (this.#abort !== abort) return;
    this.#abort = null;
    abort.abort();
    this.#set('lost', reason);
    if (this.retries) this.#retry();
  }

  async #read(body, abort) {
    const parser = new EventParser();
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    if (this.#abort !== abort) return;
    this.#set('live');
    for (;;) {
      const { value, done } = await reader.read();
      if (done || this.#abort !== abort) return;
      this.#watchSilence(abort);
      this.#delay = FIRST_DELAY;
      for (const { type, data, id } of parser.push(value)) {
        this.#hear(type, JSON.parse(data));
        if (id !== null) this.#lastId = id;
      }
    }
  }

  #watchSilence(abort) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => abort.abort(new Error('the server sent nothing for 40 s')), SILENCE);
  }

  #retry() {
    const wait = this.#delay * (0.75 + Math.random() / 2);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.#timer = setTimeout(() => this.start(), wait);
  }
}
