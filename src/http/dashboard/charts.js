// Line charts over time, and strips of latencies, as SVG.

import { h, perFrame, svg } from './dom.js';
import { UNKNOWN, clock, latency } from './format.js';

const HEIGHT = 132;
const LEFT = 62;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 20;

/** About four round values from 0 to at least `most`. */
function ticks(most) {
  const rough = most / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((it) => it >= rough);
  const values = [];
  for (let i = 0; i * step < most + step * 0.999; i += 1) values.push(i * step);
  return values;
}

function ago(seconds) {
  if (seconds < 1) return 'now';
  if (seconds < 90) return `−${Math.round(seconds)} s`;
  const short = (value) => value.toFixed(1).replace('.0', '');
  return seconds < 5400 ? `−${short(seconds / 60)} min` : `−${short(seconds / 3600)} h`;
}

/** A line chart. `lines` are `{name, kind, value(point)}`, and points have a `timestamp`. */
export class LineChart {
  element;
  #lines;
  #format;
  #least;
  #marks;
  #points = [];
  #ended = false;
  #at = null;
  #plot = svg('svg', { class: 'plot', role: 'img', tabindex: '0' });
  #readout = h('span', { class: 'readout' });
  #render;

  /**
   * `least` is the smallest maximum of the axis, so that noise does not look large; `marks` are the
   * marks of a fixed axis.
   */
  constructor(title, lines, format, { least, marks = null }) {
    this.#lines = lines;
    this.#format = format;
    this.#least = least;
    this.#marks = marks;
    this.#render = perFrame(() => this.#draw());
    this.#plot.addEventListener('pointermove', (event) => this.#point(event.offsetX));
    this.#plot.addEventListener('pointerleave', () => this.#leave());
    this.#plot.addEventListener('blur', () => this.#leave());
    this.#plot.addEventListener('keydown', (event) => this.#step(event));
    this.element = h(
      'figure',
      { class: 'chart' },
      h('figcaption', {}, h('span', { class: 'chart-title' }, title), this.#readout),
      this.#plot,
    );
    this.title = title;
    new ResizeObserver(this.#render).observe(this.element);
  }

  /** `ended` means that no more points will follow. A line without a known value is not shown. */
  update(points, ended) {
    this.#points = points;
    this.#ended = ended;
    this.element.hidden = !points.some((point) =>
      this.#lines.some(({ value }) => value(point) !== null),
    );
    if (this.#at !== null) this.#at = Math.min(this.#at, points.length - 1);
    this.#render();
  }

  #leave() {
    this.#at = null;
    this.#render();
  }

  #step(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || this.#points.length === 0) return;
    event.preventDefault();
    const at = (this.#at ?? this.#points.length) + step;
    this.#at = Math.max(0, Math.min(this.#points.length - 1, at));
    this.#render();
  }

  #point(x) {
    const { from, span, width } = this.#scale();
    const time = from + ((x - LEFT) / width) * span;
    let nearest = null;
    this.#points.forEach((point, i) => {
      const distance = Math.abs(point.timestamp - time);
      if (nearest === null || distance < nearest.distance) nearest = { i, distance };
    });
    this.#at = nearest?.i ?? null;
    this.#render();
  }

  #scale() {
    const width = Math.max(60, this.#plot.clientWidth - LEFT - RIGHT);
    const from = this.#points[0]?.timestamp ?? 0;
    const to = this.#points.at(-1)?.timestamp ?? 0;
    const span = Math.max(1, to - from);
    const values = this.#points.flatMap((point) => this.#lines.map(({ value }) => value(point)));
    const marks =
      this.#marks ?? ticks(Math.max(this.#least, ...values.filter((value) => value !== null)));
    const [bottom, top] = [marks[0], marks.at(-1)];
    const x = (time) => LEFT + ((time - from) / span) * width;
    const y = (value) => TOP + ((top - value) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
    return { width, from, to, span, marks, x, y };
  }

  #draw() {
    const scale = this.#scale();
    this.#tell();
    const { y, width, marks, from, to } = scale;
    const parts = marks.map((mark) =>
      svg(
        'g',
        {},
        svg('line', { class: 'rule', x1: LEFT, x2: LEFT + width, y1: y(mark), y2: y(mark) }),
        svg(
          'text',
          { class: 'tick', x: LEFT - 6, y: y(mark) + 4, 'text-anchor': 'end' },
          this.#format(mark),
        ),
      ),
    );
    if (this.#points.length < 2) {
      const note = this.#points.length ? 'Only one sample so far' : 'No samples yet';
      parts.push(
        svg(
          'text',
          { class: 'tick', x: LEFT + width / 2, y: HEIGHT / 2, 'text-anchor': 'middle' },
          note,
        ),
      );
    } else {
      const places = width > 260 ? [0, 0.5, 1] : [0, 1];
      parts.push(
        ...places.map((place) =>
          svg(
            'text',
            {
              class: 'tick',
              x: LEFT + place * width,
              y: HEIGHT - 4,
              'text-anchor': ['start', 'middle', 'end'][place * 2],
            },
            place === 1 && this.#ended ? 'end' : ago((1 - place) * (to - from)),
          ),
        ),
      );
    }
    parts.push(...this.#lines.flatMap((line) => this.#path(line, scale)));
    if (this.#at !== null && this.#points[this.#at]) parts.push(...this.#cursor(scale));
    this.#plot.replaceChildren(...parts);
  }

  /** The line has a gap where a value is not known. */
  #path({ kind, value }, { x, y }) {
    let path = '';
    let pen = false;
    const dots = [];
    this.#points.forEach((point, i) => {
      const known = value(point);
      if (known !== null) {
        path += `${pen ? 'L' : 'M'}${x(point.timestamp).toFixed(1)} ${y(known).toFixed(1)}`;
        const next = this.#points[i + 1];
        const alone = !pen && (!next || value(next) === null);
        if (alone)
          dots.push(
            svg('circle', { class: `dot ${kind}`, cx: x(point.timestamp), cy: y(known), r: 2 }),
          );
      }
      pen = known !== null;
    });
    return [svg('path', { class: `line ${kind}`, d: path }), ...dots];
  }

  #cursor({ x, y }) {
    const point = this.#points[this.#at];
    const at = x(point.timestamp);
    const dots = this.#lines
      .filter(({ value }) => value(point) !== null)
      .map(({ kind, value }) =>
        svg('circle', { class: `dot ${kind}`, cx: at, cy: y(value(point)), r: 3.5 }),
      );
    return [
      svg('line', { class: 'cursor', x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }),
      ...dots,
    ];
  }

  #tell() {
    const point = this.#points[this.#at ?? this.#points.length - 1];
    const values = this.#lines.map(({ name, kind, value }) => {
      const text = point && value(point) !== null ? this.#format(value(point)) : UNKNOWN;
      return h('span', { class: `value ${kind}` }, name ? `${name} ${text}` : text);
    });
    const when =
      this.#at === null ? [] : [h('span', { class: 'dim' }, clock(point.timestamp).slice(0, 8))];
    this.#readout.replaceChildren(...when, ...values);
    this.#plot.setAttribute(
      'aria-label',
      `${this.title}: ${values.map((it) => it.textContent).join(', ')}`,
    );
  }
}

export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

const DECADES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100];
const DOTS = 400;

/** Ended operations of one type on a logarithmic axis: one dot each, with median and p95. */
export function latencyStrip(operations) {
  const place = (seconds) => {
    const share = (Math.log10(Math.max(seconds, DECADES[0])) + 5) / (DECADES.length - 1);
    return `${(Math.min(1, share) * 100).toFixed(2)}%`;
  };
  const sorted = operations.map(({ duration }) => duration).sort((a, b) => a - b);
  const [median, high] = [percentile(sorted, 0.5), percentile(sorted, 0.95)];
  const mark = (kind, seconds) =>
    svg('line', { class: `mark ${kind}`, x1: place(seconds), x2: place(seconds), y1: 2, y2: 24 });
  const dots = operations.slice(0, DOTS).map(({ duration, status, operation_id: id }) =>
    svg('circle', {
      class: `op-dot ${status}`,
      cx: place(duration),
      // Dots are spread by their ids, so that equal times do not hide each other.
      cy: 6 + ((parseInt(id.slice(-4), 16) * 7) % 15),
      r: 2.2,
    }),
  );
  const rules = DECADES.map((at) =>
    svg('line', { class: 'rule', x1: place(at), x2: place(at), y1: 0, y2: 26 }),
  );
  const label = `Median ${latency(median)}, 95th percentile ${latency(high)}, of ${sorted.length}`;
  const strip = svg(
    'svg',
    { class: 'strip', role: 'img', 'aria-label': label },
    rules,
    dots,
    mark('p50', median),
    mark('p95', high),
  );
  return { strip, median, high };
}

/** The axis of all strips. */
export function latencyAxis() {
  const last = DECADES.length - 1;
  const labels = DECADES.map((at, i) =>
    svg(
      'text',
      {
        class: i % 2 ? 'tick odd' : 'tick',
        x: `${(i / last) * 100}%`,
        y: 12,
        'text-anchor': i === 0 ? 'start' : i === last ? 'end' : 'middle',
      },
      at < 100 ? latency(at) : '100 s',
    ),
  );
  return svg('svg', { class: 'axis', 'aria-hidden': 'true' }, labels);
}
