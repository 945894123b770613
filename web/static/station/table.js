// A statement's rows: add, change, delete, with the running balance checked as one types.

import { call } from './api.js';
import { announce, desk } from './desk.js';
import { drafts } from './drafts.js';
import { send } from './fields.js';
import { nameOf, say } from './texts.js';
import * as viewer from './viewer.js';

let cell = null;
let timer = 0;
let asked = 0;

const tables = () => [...document.querySelectorAll('.field[data-kind="transactions"]')];
const lines = (row) => [...row.querySelectorAll('.lines tbody tr')];
const valueOf = (part) => (part ? (part.value ?? part.textContent).trim() : '');
const cellOf = (line, name) => line.querySelector(`[data-cell="${name}"]`);

/** An amount in cents, as either language writes it; `null` for what is none. */
export function cents(text) {
  let rest = text.replace(/[\s\u00a0€']/g, '').replace(/^−/, '-').replace(/EUR$/i, '');
  const negative = /^-|-$|^\(.*\)$/.test(rest);
  rest = rest.replace(/[-()+]/g, '');
  const parts = /^([\d.,]*?)(?:[.,](\d{1,2}))?$/.exec(rest);
  if (!parts || !/\d/.test(rest)) return null;
  const whole = parts[1].replace(/[.,]/g, '');
  const value = Number(whole || '0') * 100 + Number((parts[2] ?? '').padEnd(2, '0'));
  return negative ? -value : value;
}

const spanish = document.documentElement.lang === 'es';
const money = (value) => (value / 100).toLocaleString(spanish ? 'es-ES' : 'en-GB', { minimumFractionDigits: 2, useGrouping: true });

function balance(row, name) {
  const field = document.getElementById(`d${row.dataset.document}-${name}`);
  const shown = field?.querySelector('[data-value]') ?? field?.querySelector('.value');
  return shown ? cents(valueOf(shown)) : null;
}

/** Runs through the rows in one order: which printed balances do not follow from the one before. */
function run(list, opening) {
  let last = opening;
  const wrong = new Map();
  for (const line of list) {
    const [amount, printed] = [cents(valueOf(cellOf(line, 'amount'))), cents(valueOf(cellOf(line, 'balance')))];
    const due = last === null || amount === null ? null : last + amount;
    if (printed !== null && due !== null && printed !== due) wrong.set(line, due);
    // A wrong balance is told once, not again on every row behind it.
    last = printed ?? due;
  }
  return wrong;
}

/** Marks each row, and says whether opening, rows and closing agree. */
export function check(row) {
  const list = lines(row);
  const [opening, closing] = [balance(row, 'opening_balance'), balance(row, 'closing_balance')];
  const [forward, backward] = [run(list, opening), run([...list].reverse(), opening)];
  const wrong = backward.size < forward.size ? backward : forward;
  for (const line of list) {
    const mark = line.querySelector('.check');
    const printed = cents(valueOf(cellOf(line, 'balance')));
    const due = wrong.get(line);
    mark.textContent = due !== undefined ? '✗' : printed === null ? '' : '✓';
    mark.className = `check ${due !== undefined ? 'bad' : 'good'}`;
    mark.title = due !== undefined ? say('due', { amount: money(due) }) : '';
    line.classList.toggle('bad', due !== undefined);
    cellOf(line, 'balance').setAttribute('aria-invalid', String(due !== undefined));
  }
  const total = list.reduce((sum, line) => sum + (cents(valueOf(cellOf(line, 'amount'))) ?? 0), 0);
  const sum = row.querySelector('.sum');
  if (opening === null || closing === null) { sum.textContent = say('no_balances'); return; }
  const off = opening + total - closing;
  const values = { opening: money(opening), total: money(total), closing: money(closing), off: money(Math.abs(off)) };
  const running = wrong.size ? ` ${say('rows_wrong', { rows: wrong.size })}` : ` ${say('rows_right')}`;
  sum.textContent = (off === 0 ? say('adds_up', values) : say('adds_not', values)) + running;
  sum.classList.toggle('bad', off !== 0 || wrong.size > 0);
}

const restOf = (line) => JSON.parse(line.dataset.rest || '{}');

function read(row) {
  return lines(row).map((line) => ({
    ...restOf(line),
    date: valueOf(cellOf(line, 'date')),
    description: valueOf(cellOf(line, 'description')),
    amount: valueOf(cellOf(line, 'amount')),
    balance: valueOf(cellOf(line, 'balance')),
  }));
}

function write(row, list) {
  const body = row.querySelector('.lines tbody');
  const template = row.querySelector('template');
  body.replaceChildren(...list.map((values, index) => {
    const line = template.content.firstElementChild.cloneNode(true);
    const { date, description, amount, balance: printed, ...rest } = values;
    line.dataset.rest = JSON.stringify(rest);
    for (const [name, value] of Object.entries({ date, description, amount, balance: printed })) {
      const part = cellOf(line, name);
      part.value = value ?? '';
      part.setAttribute('aria-label', `${say('row', { row: index + 1 })}: ${nameOf('column', name)}`);
    }
    return line;
  }));
}

function changed(row) {
  row.classList.add('dirty');
  drafts.set(row.id, { rows: read(row) });
  check(row);
  wrong(row, '');
  announce('');
  clearTimeout(timer);
  timer = setTimeout(() => tryOut(row), 500);
}

function wrong(row, text) {
  const shown = row.querySelector('.wrong');
  shown.textContent = text;
  shown.hidden = !text;
}

async function tryOut(row) {
  const mine = ++asked;
  const change = { action: 'correct', document: Number(row.dataset.document), field: row.dataset.field, value: read(row) };
  const { status, body } = await call('POST', `${desk.address}/preview`, change);
  if (mine !== asked) return;
  const would = row.querySelector('.would');
  would.hidden = status !== 200;
  const open = body?.reasons?.filter((reason) => reason.code === 'UNCERTAIN_FIELD').length;
  if (status === 200) would.textContent = say('would', { outcome: nameOf('outcome', body.outcome), open });
  if (status === 422) wrong(row, problem(body));
}

/** `transactions.3.amount` said to people. */
function problem(body) {
  const [, line, column] = /^transactions\.(\d+)\.(\w+)$/.exec(body?.field ?? '') ?? [];
  return line ? say('row_wrong', { row: line, column: nameOf('column', column) }) : body?.detail ?? say('failed');
}

async function save(row) {
  const change = { action: 'correct', document: Number(row.dataset.document), field: row.dataset.field, value: read(row) };
  const checked = await call('POST', `${desk.address}/preview`, change);
  // A row that is no row is named here: the field's own message would only say that the table is none.
  if (checked.status === 422) return wrong(row, problem(checked.body));
  await send(row, change);
}

/** The cell that words from the page would fill. */
export const currentCell = () => (cell && document.contains(cell) && document.activeElement === cell ? cell : null);

/** Words that were selected on the page go to the cell; a row without a place gets this one. */
export function fill(place) {
  if (!place.words) return announce(say('no_words'));
  const line = cell.closest('tr');
  cell.value = place.words;
  const rest = restOf(line);
  const box = rest.box?.[2] > 0 && rest.page === place.page && rest.file === place.file ? around(rest.box, place.box) : place.box;
  line.dataset.rest = JSON.stringify({ ...rest, file: place.file, page: place.page, box });
  viewer.show({ file: place.file, page: place.page, box });
  changed(cell.closest('.field'));
}

function around(one, other) {
  const [left, top] = [Math.min(one[0], other[0]), Math.min(one[1], other[1])];
  const right = Math.max(one[0] + one[2], other[0] + other[2]);
  const bottom = Math.max(one[1] + one[3], other[1] + other[3]);
  return [left, top, right - left, bottom - top];
}

const acts = {
  add(row) {
    const list = lines(row);
    const at = cell && row.contains(cell) ? list.indexOf(cell.closest('tr')) : list.length - 1;
    const all = read(row);
    all.splice(at + 1, 0, { date: all[at]?.date ?? '' });
    write(row, all);
    changed(row);
    cellOf(lines(row)[at + 1], 'date').focus();
  },
  delete(row, button) {
    const at = lines(row).indexOf(button.closest('tr'));
    button.closest('tr').remove();
    write(row, read(row));
    changed(row);
    announce(say('deleted', { row: at + 1 }));
    const next = lines(row)[Math.min(at, lines(row).length - 1)];
    (next ? cellOf(next, 'date') : row.querySelector('[data-row="add"]')).focus();
  },
  undo(row) {
    drafts.drop(row.id);
    row.classList.remove('dirty');
    document.dispatchEvent(new CustomEvent('station:refresh'));
  },
  save,
  confirm: (row) => send(row, { action: 'confirm', document: Number(row.dataset.document), field: row.dataset.field }),
};

export function restore() {
  for (const row of tables()) {
    const draft = drafts.get(row.id);
    if (draft?.rows && row.querySelector('template')) {
      write(row, draft.rows);
      row.classList.add('dirty');
    }
    check(row);
  }
}

export function start() {
  const panel = document.getElementById('panel');
  panel.addEventListener('focusin', (event) => {
    if (!event.target.matches('[data-cell]')) return;
    cell = event.target;
    const { file, page, box } = restOf(cell.closest('tr'));
    viewer.show(box ? { file, page, box } : null);
  });
  panel.addEventListener('input', (event) => {
    const row = event.target.closest('.field');
    if (event.target.matches('[data-cell]')) changed(row);
    // The balances above and below the table are part of its check.
    else if (['opening_balance', 'closing_balance'].includes(row?.dataset.field)) {
      tables().filter((table) => table.dataset.document === row.dataset.document).forEach(check);
    }
  });
  panel.addEventListener('keydown', (event) => {
    if (!event.target.matches('[data-cell]')) return;
    const row = event.target.closest('.field');
    const list = lines(row);
    const at = list.indexOf(event.target.closest('tr'));
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Enter: at + 1 }[event.key];
    if (event.key === 'Escape') { event.preventDefault(); row.focus({ preventScroll: true }); }
    if (to === undefined) return;
    event.preventDefault();
    if (list[to]) cellOf(list[to], event.target.dataset.cell).focus();
  });
  panel.addEventListener('click', (event) => {
    const button = event.target.closest('[data-row]');
    if (button) acts[button.dataset.row](button.closest('.field'), button);
  });
}
