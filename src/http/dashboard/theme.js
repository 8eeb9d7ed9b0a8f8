// The theme: light, dark, or that of the system. The page stores nothing but this choice.

import { setText } from './dom.js';

const KEY = 'anypeer-theme';
const THEMES = ['auto', 'light', 'dark'];

function stored() {
  try {
    const theme = localStorage.getItem(KEY);
    return THEMES.includes(theme) ? theme : 'auto';
  } catch {
    return 'auto';
  }
}

function apply(theme, button) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  setText(button, `Theme: ${theme}`);
}

let current = 'auto';

export function useTheme(button) {
  current = stored();
  apply(current, button);
}

export function toggleTheme(button) {
  current = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length];
  apply(current, button);
  try {
    localStorage.setItem(KEY, current);
  } catch {
    // Without storage, the choice is kept until the page is left.
  }
}
