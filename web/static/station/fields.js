// The fields: a field that has focus shows its place; Enter saves or confirms it and goes on to the next
// that needs a person; words that are selected on the page fill it.

import { call } from './api.js';
import { announce, desk, dismiss, notice, refresh, refused } from './desk.js';
import { drafts } from './drafts.js';
import { nameOf, say } from './texts.js';
import * as viewer from './viewer.js';

let current = null;
let busy = false;
let asked = 0;
let timer = 0;

const rows = () => [...document.querySelectorAll('.field')];
const controlOf = (row) => row?.querySelector('[data-value]');
const needs = (row) => row.dataset.need !== '';
const about = (row) => ({ document: Number(row.dataset.document), field: row.dataset.field });

function originalOf(control) {
  if (control.tagName !== 'SELECT') return control.defaultValue;
  return [...control.options].find((option) => option.defaultSelected)?.value ?? '';
}

/** The field that words from the page would fill. */
export const currentRow = () => (current && document.contains(current) ? current : null);

/** The place of a field, the one that was selected for it before the one where it was read. */
function placeOf(row) {
  const chosen = drafts.get(row.id)?.place;
  if (chosen) return chosen;
  if (!row.dataset.box) return null;
  return { file: row.dataset.file, page: Number(row.dataset.page), box: row.dataset.box.split(' ').map(Number) };
}

/** Goes to a field: its group opens, its control gets the focus, its place is shown. */
export function goTo(row) {
  if (!row) return;
  for (let part = row.closest('details'); part; part = part.parentElement.closest('details')) part.open = true;
  const table = row.querySelector('.statement');
  if (table) table.open = true;
  const target = controlOf(row) ?? table?.querySelector('summary') ?? row;
  target.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
  if (target.select) target.select();
  enter(row);
}

function enter(row) {
  if (current !== row) current?.classList.remove('current');
  current = row;
  row.classList.add('current');
  const place = placeOf(row);
  viewer.show(place);
  // What was not found may stand on its document all the same.
  if (!place) viewer.showDocument(row.dataset.document);
}

/** Shows where a field stands without going to it. */
export const look = (row) => { if (row) viewer.show(placeOf(row)); };

/** The next field behind (or before) a row that needs a person; round the end once. */
function nextNeeding(row, back = false) {
  const all = back ? rows().reverse() : rows();
  const at = row ? all.indexOf(row) : -1;
  return [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0))].find((other) => other !== row && needs(other));
}

export function next(back = false) {
  const found = nextNeeding(currentRow(), back);
  if (found) goTo(found);
  else announce(say('none_left'));
}

/** Typed text is kept, marked, and tried on the rules. */
function changed(row) {
  const control = controlOf(row);
  const base = originalOf(control);
  const place = drafts.get(row.id)?.place;
  const dirty = control.value !== base || place !== undefined;
  row.classList.toggle('dirty', dirty);
  if (dirty) drafts.set(row.id, { value: control.value, base, place });
  else drafts.drop(row.id);
  wrong(row, '');
  announce('');
  clearTimeout(timer);
  timer = setTimeout(() => tryOut(row), 400);
}

/** Shows what the rules would say with what is typed. */
async function tryOut(row) {
  const would = row.querySelector('.would');
  const control = controlOf(row);
  const mine = ++asked;
  const value = control.value.trim();
  const untouched = !row.classList.contains('dirty') || !value;
  if (untouched) { would.hidden = true; return; }
  const { status, body } = await call('POST', `${desk.address}/preview`, { action: 'correct', ...about(row), value });
  if (mine !== asked) return;
  would.hidden = status !== 200 && status !== 422;
  if (status === 200) would.textContent = say('would', { outcome: nameOf('outcome', body.outcome), open: openIn(body) });
  if (status === 422) would.textContent = sentence(row);
  would.classList.toggle('bad', status === 422);
}

const openIn = (result) => result.reasons.filter((reason) => reason.code === 'UNCERTAIN_FIELD').length;

function wrong(row, text) {
  const shown = row.querySelector('.wrong');
  shown.textContent = text;
  shown.hidden = !text;
  controlOf(row)?.setAttribute('aria-invalid', String(Boolean(text)));
}

const sentence = (row) => say('no_value', { kind: nameOf('kind', row.dataset.kind) });

/** Sends a change of this field. The page then shows what is decided now. */
export async function send(row, change, { onwards = false } = {}) {
  if (busy) return false;
  if (desk.lost) { announce(say('lost')); return false; }
  busy = true;
  row.classList.add('busy');
  const answer = await call('POST', `${desk.address}/corrections`, { ...desk.grip(), ...change });
  const done = answer.status === 200;
  if (done) {
    drafts.drop(row.id);
    desk.revision = answer.body.revision;
    dismiss('stale');
    await refresh();
    announce(say('saved', { outcome: nameOf('outcome', answer.body.outcome), open: openIn(answer.body) }));
    if (onwards) onwardsFrom(row.id);
  } else if (!(await refused(answer))) {
    wrong(row, sentence(row));
  }
  busy = false;
  document.getElementById(row.id)?.classList.remove('busy');
  return done;
}

/** The page was rendered anew: the next field stands where the saved one was left. */
function onwardsFrom(id) {
  const row = document.getElementById(id);
  const found = nextNeeding(row);
  if (found) return goTo(found);
  announce(`${document.getElementById('verdict')?.textContent.trim()}. ${say('none_left')}`);
  goTo(row);
}

/** Enter: what was typed is saved, an empty field is not there, an open one is right as it is. */
function settle(row, control) {
  const dirty = row.classList.contains('dirty');
  const found = row.dataset.found !== undefined;
  const value = control.value.trim();
  if (!value) return found ? send(row, { action: 'remove', ...about(row) }, { onwards: true }) : next();
  if (dirty) return save(row, true);
  if (found && row.dataset.confirmed === undefined) return send(row, { action: 'confirm', ...about(row) }, { onwards: true });
  return next();
}

function save(row, onwards) {
  const place = drafts.get(row.id)?.place;
  const change = { action: 'correct', ...about(row), value: controlOf(row).value.trim() };
  if (place) change.place = place;
  return send(row, change, { onwards });
}

/** A place was selected on the page: its words go to the field that has the focus. */
export function fill(place) {
  const row = currentRow();
  const control = controlOf(row);
  if (!control) return announce(say('focus_first'));
  const on = `${place.file}|${place.page}`;
  const own = [...document.querySelectorAll(`[data-sheet][data-document="${row.dataset.document}"]`)];
  if (!own.some((link) => `${link.dataset.file}|${link.dataset.page}` === on)) {
    return announce(say('other_document'));
  }
  if (control.tagName !== 'SELECT') {
    if (!place.words) return announce(say('no_words'));
    control.value = place.words;
  }
  const kept = { file: place.file, page: place.page, box: place.box, raw: place.words };
  drafts.set(row.id, { value: control.value, base: originalOf(control), place: kept });
  control.dispatchEvent(new Event('input', { bubbles: true }));
  control.focus({ preventScroll: true });
  viewer.show(kept);
  announce(say('filled', { words: place.words }));
}

/** Puts back what was typed before the page was brought up to date, or loaded anew. */
export function restore() {
  let moved = false;
  for (const name of drafts.names()) {
    const row = document.getElementById(name);
    const control = controlOf(row);
    const draft = drafts.get(name);
    if (!control || draft.value === undefined) continue;
    const now = originalOf(control);
    if (draft.value === now && !draft.place) { drafts.drop(name); continue; }
    moved ||= draft.base !== now;
    control.value = draft.value;
    row.classList.add('dirty');
  }
  if (moved) notice('stale', say('stale'), [[say('seen'), () => dismiss('stale')]]);
  if (current) current = document.getElementById(current.id);
  current?.classList.add('current');
}

export function start() {
  const panel = document.getElementById('panel');
  panel.addEventListener('focusin', (event) => {
    const row = event.target.closest('.field');
    if (row && (event.target.matches('[data-value]') || event.target === row)) enter(row);
  });
  panel.addEventListener('input', (event) => {
    if (event.target.matches('[data-value]')) changed(event.target.closest('.field'));
  });
  panel.addEventListener('keydown', (event) => {
    const control = event.target;
    if (!control.matches('[data-value]')) return;
    const row = control.closest('.field');
    if (event.key === 'Escape') { event.preventDefault(); row.focus({ preventScroll: true }); }
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    settle(row, control);
  });
  panel.addEventListener('submit', (event) => {
    const row = event.target.closest('.field');
    if (!row) return;
    event.preventDefault();
    const act = event.submitter?.dataset.act;
    if (act === 'confirm' || act === 'remove') send(row, { action: act, ...about(row) });
    else save(row, false);
  });
  // Links to fields: in the reasons, in what is linked, in fields that are only shown.
  panel.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#d"]');
    if (!link) return;
    event.preventDefault();
    goTo(document.getElementById(link.hash.slice(1)));
  });
}
