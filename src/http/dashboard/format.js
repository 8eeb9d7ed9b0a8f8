// Formats numbers for display. An unknown value is a dash.

export const UNKNOWN = '–';

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

const digits = (value) =>
  (value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 10 ? 3 : 2)).replace(/\.0$/, '');

function scaled(value, units, step) {
  let unit = 0;
  let size = Math.abs(value);
  while (size >= step && unit < units.length - 1) {
    size /= step;
    unit += 1;
  }
  const text = unit === 0 ? String(Math.round(size)) : digits(size);
  return `${value < 0 ? '-' : ''}${text} ${units[unit]}`;
}

const grouped = new Intl.NumberFormat('en');

export function count(value) {
  return known(value) ? grouped.format(value) : UNKNOWN;
}

export function bitrate(bitsPerSecond) {
  return known(bitsPerSecond)
    ? scaled(bitsPerSecond, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'], 1000)
    : UNKNOWN;
}

export function bytes(size) {
  return known(size) ? scaled(size, ['B', 'kB', 'MB', 'GB', 'TB'], 1000) : UNKNOWN;
}

export function percent(share) {
  if (!known(share)) return UNKNOWN;
  const value = share * 100;
  return `${value === 0 || value >= 10 ? value.toFixed(0) : value.toFixed(value < 0.1 ? 2 : 1)} %`;
}

/** A short duration, of an operation or a round trip. */
export function latency(seconds) {
  if (!known(seconds)) return UNKNOWN;
  if (seconds === 0) return '0 s';
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${digits(seconds * 1e3)} ms`;
  return seconds < 60 ? `${digits(seconds)} s` : age(seconds);
}

/** A long duration: an age or an uptime. */
export function age(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400)
    return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

const pad = (value, length = 2) => String(value).padStart(length, '0');

/** The time of day, to the millisecond. */
export function clock(unixSeconds) {
  if (!known(unixSeconds)) return UNKNOWN;
  const at = new Date(unixSeconds * 1000);
  const day = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => pad(part)).join(':');
  return `${day}.${pad(at.getMilliseconds(), 3)}`;
}

export function dateAndTime(unixSeconds) {
  if (!known(unixSeconds)) return UNKNOWN;
  const at = new Date(unixSeconds * 1000);
  const day = [at.getFullYear(), pad(at.getMonth() + 1), pad(at.getDate())].join('-');
  return `${day} ${clock(unixSeconds)}`;
}

export function decimal(value, places = 1) {
  return known(value) ? value.toFixed(places) : UNKNOWN;
}

/** An address in the form that is used with a port. */
export function endpoint(candidate) {
  if (!candidate) return UNKNOWN;
  const address = candidate.address ?? candidate.ip ?? '(hidden)';
  return address.includes(':') ? `[${address}]:${candidate.port}` : `${address}:${candidate.port}`;
}

/** A name chosen by others, with invisible and direction-changing characters made visible. */
export function visible(name) {
  return name.replace(
    /[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu,
    (hidden) => `⟨U+${hidden.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}
