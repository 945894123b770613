// Single keys, when nothing that takes text has the focus. Can be switched off (WCAG 2.1.4).

import * as decide from './decide.js';
import * as fields from './fields.js';
import * as viewer from './viewer.js';

const dialog = document.getElementById('keys');
const single = document.getElementById('single-keys');
const press = (name) => document.querySelector(`[data-view="${name}"]`).click();

const keys = {
  n: () => fields.next(),
  p: () => fields.next(true),
  w: () => (document.querySelector('.questions a, .reasons a') ?? document.getElementById('panel')).focus(),
  a: () => decide.choose('accept'),
  r: () => decide.choose('reject'),
  d: () => decide.choose('request_documents'),
  '[': () => press('previous'),
  ']': () => press('next'),
  '+': () => press('in'),
  '-': () => press('out'),
  0: () => press('fit'),
  o: () => press('rotate'),
  h: () => press('hand'),
  b: () => press('boxes'),
  '?': () => dialog.showModal(),
  ArrowLeft: () => viewer.pan(-1, 0),
  ArrowRight: () => viewer.pan(1, 0),
  ArrowUp: () => viewer.pan(0, -1),
  ArrowDown: () => viewer.pan(0, 1),
};

const takesText = (part) => part?.matches?.('input:not([type=checkbox]), textarea, select, [contenteditable]');

export function start() {
  try { single.checked = localStorage.getItem('single-keys') !== 'off'; } catch { /* Then they are on. */ }
  single.addEventListener('change', () => {
    try { localStorage.setItem('single-keys', single.checked ? 'on' : 'off'); } catch { /* For this page only. */ }
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('#help')) dialog.showModal();
  });
  document.getElementById('close-keys').addEventListener('click', () => dialog.close());
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || takesText(event.target)) return;
    // Arrows move within lists and details of their own.
    if (event.key.startsWith('Arrow') && event.target.closest('summary, dialog')) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (!single.checked && event.key !== '?')) return;
    event.preventDefault();
    act();
  });
}
