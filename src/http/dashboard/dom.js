// Elements are only built from text, never from markup: clients choose names and SDP.

import { visible } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';

/** Makes an element: `on*` functions become listeners, `data` the dataset, the rest attributes. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Writes only changes, so that an unchanged row costs no layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

/** Returns a function that runs `work` once in the next frame, however often it is called. */
export function perFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** Returns a function that runs `work` once, some time after the first of several calls. */
export function gathered(milliseconds, work) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      work();
    }, milliseconds);
  };
}

export function badge(state) {
  return h('span', { class: 'badge', data: { kind: state } }, words(state));
}

/** `turn_unreachable` as words. */
export function words(name) {
  return String(name).replaceAll('_', ' ');
}

export function connectionHash(id) {
  return `#/connection/${encodeURIComponent(id)}`;
}

export function connectionLink(id) {
  return h('a', { href: connectionHash(id), class: 'mono', title: id }, visible(id));
}

/** A list of names and values, without the unknown values. */
export function list(entries) {
  return h(
    'dl',
    { class: 'facts' },
    entries
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/** A table with all its rows; a heading that begins with `>` marks a column of numbers. */
export function smallTable(heads, rows) {
  const head = (title) => {
    const numeric = title.startsWith('>');
    return h(
      'th',
      { scope: 'col', class: numeric ? 'num' : null },
      numeric ? title.slice(1) : title,
    );
  };
  return h(
    'div',
    { class: 'wide' },
    h(
      'table',
      { class: 'small' },
      h('thead', {}, h('tr', {}, heads.map(head))),
      h('tbody', {}, rows),
    ),
  );
}
