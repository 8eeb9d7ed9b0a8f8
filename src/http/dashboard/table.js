// A table that has elements only for the visible rows, so that thousands of rows cost no more than
// dozens.

import { h, perFrame, setAttribute, setText } from './dom.js';

/** The minimum time between two sorts; in between, only texts change. */
const SORT_EVERY = 250;
const SPARE_ROWS = 6;
let tables = 0;

/**
 * Columns have `id`, `title`, `text(row)`, and may have `value(row)` to sort by, `numeric`,
 * `priority` (1 is always shown, 5 is the first to be hidden), `width`, `steady` (the order of two
 * rows never changes), `hint`, and `make()` with `dress(element, row)` for more than a text.
 */
export class VirtualTable {
  /** The rows in their order. */
  rows = [];
  #options;
  #columns;
  #source = () => [];
  #sort;
  #active = null;
  #elements = new Map();
  #stale = true;
  #sortedAt = 0;
  #later = null;
  #rowHeight = matchMedia('(pointer: coarse)').matches ? 42 : 30;

  /**
   * `options`: `label`, `columns`, `key(row)`, `describe(row)` for a row's dataset, `open(row)`,
   * `sort` (`{by, down}`), `empty` (an element).
   */
  constructor(options) {
    this.#options = options;
    this.#columns = options.columns;
    this.#sort = options.sort;
    this.#build();
    this.render = perFrame(() => this.#render());
    new ResizeObserver(this.render).observe(this.#scroller);
  }

  #name = `table-${(tables += 1)}`;
  #scroller;
  #table;
  #body;
  #above;
  #below;
  element;

  #build() {
    const heads = this.#columns.map((column) => this.#head(column));
    const spacer = () => h('tr', { 'aria-hidden': 'true', class: 'spacer' }, h('td'));
    this.#above = spacer();
    this.#below = spacer();
    this.#body = h('tbody', {}, this.#above, this.#below);
    this.#table = h(
      'table',
      {
        class: 'grid',
        role: 'grid',
        tabindex: '0',
        'aria-label': this.#options.label,
        onkeydown: (event) => this.onKey(event),
        onclick: (event) => this.#clicked(event),
      },
      h('thead', {}, h('tr', { 'aria-rowindex': 1 }, heads)),
      this.#body,
    );
    this.#table.style.setProperty('--row', `${this.#rowHeight}px`);
    this.#scroller = h('div', { class: 'scroller', onscroll: () => this.render() }, this.#table);
    this.element = h('div', { class: 'table' }, this.#scroller, this.#options.empty);
  }

  #head(column) {
    const head = h('th', { scope: 'col', class: classOf(column), title: column.hint });
    if (column.width) head.style.width = column.width;
    if (column.value) {
      head.append(
        h(
          'button',
          { type: 'button', class: 'sort', onclick: () => this.#sortBy(column) },
          column.title,
        ),
      );
    } else {
      head.append(column.title);
    }
    return head;
  }

  /** `source()` returns the rows, in any order. */
  from(source) {
    this.#source = source;
    this.changed(true);
  }

  /** Called when rows were added, removed or changed. `now` renders immediately. */
  changed(now = false) {
    this.#stale = true;
    if (now) this.#sortedAt = 0;
    this.render();
  }

  /** Returns whether a row had to be selected because none was. */
  focus() {
    const { key } = this.#options;
    const isNone = !this.rows.some((row) => key(row) === this.#active);
    if (isNone && this.rows.length) this.#active = key(this.rows[0]);
    this.#table.focus({ preventScroll: true });
    this.render();
    return isNone;
  }

  #sortBy(column) {
    const same = this.#sort.by === column.id;
    this.#sort = { by: column.id, down: same ? !this.#sort.down : Boolean(column.numeric) };
    this.#scroller.scrollTop = 0;
    this.changed(true);
  }

  #order() {
    const { key } = this.#options;
    const column = this.#columns.find(({ id }) => id === this.#sort.by);
    const top = Math.floor(this.#scroller.scrollTop / this.#rowHeight);
    const anchor = column.steady && top > 0 && this.rows[top] ? key(this.rows[top]) : null;
    const direction = this.#sort.down ? -1 : 1;
    const keyed = Array.from(this.#source(), (row) => [column.value(row), row]);
    keyed.sort(([a, rowA], [b, rowB]) => {
      if (a === b) return key(rowA) < key(rowB) ? 1 : -1;
      // Unknown values come last in either direction.
      if (a === null || a === undefined) return 1;
      if (b === null || b === undefined) return -1;
      return a < b ? -direction : direction;
    });
    this.rows = keyed.map(([, row]) => row);
    this.#keepInPlace(anchor, top);
  }

  /** Keeps the visible rows in place when rows are added above them. */
  #keepInPlace(anchor, top) {
    if (anchor === null) return;
    const moved = this.rows.findIndex((row) => this.#options.key(row) === anchor) - top;
    if (moved > 0 || (moved < 0 && moved >= -top)) {
      this.#setSpace(this.#above, 0);
      this.#setSpace(this.#below, this.rows.length);
      this.#scroller.scrollTop += moved * this.#rowHeight;
    }
  }

  #setSpace(spacer, rows) {
    spacer.style.height = `${rows * this.#rowHeight}px`;
  }

  #render() {
    if (!this.element.isConnected || this.#scroller.clientHeight === 0) return;
    const wait = SORT_EVERY - (performance.now() - this.#sortedAt);
    if (this.#stale && wait <= 0) {
      this.#stale = false;
      this.#sortedAt = performance.now();
      this.#order();
      this.#renderHeads();
    } else if (this.#stale) {
      this.#later ??= setTimeout(() => {
        this.#later = null;
        this.render();
      }, wait);
    }
    this.#renderRows();
  }

  #renderHeads() {
    setAttribute(this.#table, 'aria-rowcount', this.rows.length + 1);
    this.element.classList.toggle('is-empty', this.rows.length === 0);
    const heads = this.#table.tHead.rows[0].cells;
    this.#columns.forEach(({ id }, i) => {
      const direction = this.#sort.down ? 'descending' : 'ascending';
      setAttribute(heads[i], 'aria-sort', id === this.#sort.by ? direction : null);
    });
  }

  #renderRows() {
    const { key } = this.#options;
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - SPARE_ROWS);
    const shown = Math.ceil(clientHeight / this.#rowHeight) + 2 * SPARE_ROWS;
    const rows = this.rows.slice(first, first + shown);
    const kept = new Set(rows.map(key));
    const free = [];
    for (const [id, element] of this.#elements) {
      if (kept.has(id)) continue;
      free.push(element);
      this.#elements.delete(id);
    }
    let place = this.#above;
    rows.forEach((row, i) => {
      const element =
        this.#elements.get(key(row)) ?? this.#assign(row, free.pop() ?? this.#makeRow());
      this.#update(element, row, first + i);
      if (place.nextSibling !== element.tr) place.after(element.tr);
      place = element.tr;
    });
    for (const { tr } of free) tr.remove();
    this.#setSpace(this.#above, first);
    this.#setSpace(this.#below, Math.max(0, this.rows.length - first - rows.length));
    const active = this.#elements.get(this.#active);
    setAttribute(this.#table, 'aria-activedescendant', active ? active.tr.id : null);
  }

  #makeRow() {
    const cells = this.#columns.map((column) => {
      const inner = column.make ? column.make() : null;
      const td = h('td', { class: classOf(column), role: 'gridcell' }, inner);
      return { td, node: inner ?? td };
    });
    return {
      tr: h(
        'tr',
        {},
        cells.map(({ td }) => td),
      ),
      cells,
    };
  }

  #assign(row, element) {
    const id = this.#options.key(row);
    element.tr.id = `${this.#name}-${id}`;
    this.#elements.set(id, element);
    return element;
  }

  #update({ tr, cells }, row, index) {
    const id = this.#options.key(row);
    setAttribute(tr, 'aria-rowindex', index + 2);
    setAttribute(tr, 'aria-selected', id === this.#active ? 'true' : null);
    for (const [name, value] of Object.entries(this.#options.describe(row))) {
      if (tr.dataset[name] !== String(value)) tr.dataset[name] = value;
    }
    this.#columns.forEach((column, i) => {
      const { node } = cells[i];
      setText(node, column.text(row));
      column.dress?.(node, row);
    });
  }

  #clicked(event) {
    const tr = event.target.closest('tbody tr:not(.spacer)');
    if (!tr) return;
    const link = event.target.closest('a');
    // A click with a modifier key opens a link in another tab.
    if (link && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    const row = this.rows.find((it) => `${this.#name}-${this.#options.key(it)}` === tr.id);
    if (!row) return;
    if (link) event.preventDefault();
    this.#active = this.#options.key(row);
    this.render();
    this.#options.open(row);
  }

  /** Moves between the rows. */
  onKey(event) {
    if (event.target.closest('button, a') || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / this.#rowHeight) - 2);
    const steps = {
      ArrowDown: 1,
      j: 1,
      ArrowUp: -1,
      k: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    const at = this.rows.findIndex((row) => this.#options.key(row) === this.#active);
    if (event.key === 'Enter' && at >= 0) {
      event.preventDefault();
      this.#options.open(this.rows[at]);
    } else if (event.key in steps && this.rows.length) {
      event.preventDefault();
      const to = Math.min(this.rows.length - 1, Math.max(0, at + steps[event.key]));
      this.#active = this.#options.key(this.rows[to]);
      this.#reveal(to);
      this.render();
    }
  }

  #reveal(index) {
    const top = index * this.#rowHeight;
    const head = this.#table.tHead.offsetHeight;
    const room = this.#scroller.clientHeight - head - this.#rowHeight;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top > this.#scroller.scrollTop + room) this.#scroller.scrollTop = top - room;
  }
}

function classOf({ id, numeric, priority = 1 }) {
  return `c-${id} p${priority}${numeric ? ' num' : ''}`;
}
