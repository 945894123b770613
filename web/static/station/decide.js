// The decision: one key or button chooses it, a sheet asks for the reason (and, for a request, what and in
// which words), and it is sent once.

import { call } from './api.js';
import { announce, desk, refused } from './desk.js';
import { drafts } from './drafts.js';
import { nameOf, say } from './texts.js';

let outcome = null;
let busy = false;

const part = (id) => document.getElementById(id);
const boxes = () => [...document.querySelectorAll('[data-wanted]')];

/** Opens the sheet for an outcome. */
export function choose(name) {
  if (!part('decide')) return announce(say('not_in_hand'));
  outcome = name;
  part('decide').dataset.outcome = name;
  part('decide').classList.add('open');
  part('other').open = false;
  part('chosen').textContent = say('decide', { outcome: nameOf('outcome', name) });
  part('confirm-decision').className = `primary ${name}`;
  for (const button of document.querySelectorAll('.decide .bar button')) button.setAttribute('aria-pressed', String(button.value === name));
  part('reason').focus();
  keep();
}

export function close() {
  outcome = null;
  part('decide').classList.remove('open');
  delete part('decide').dataset.outcome;
  for (const button of document.querySelectorAll('.decide .bar button')) button.removeAttribute('aria-pressed');
  keep();
}

export const isOpen = () => outcome !== null;

function keep() {
  const [reason, message] = [part('reason').value, part('message').value];
  const wanted = boxes().filter((box) => box.checked).map((box) => box.dataset.wanted);
  if (!outcome && !reason && message === part('message').defaultValue) drafts.drop('decision');
  else drafts.set('decision', { outcome, reason, message, base: part('message').defaultValue, wanted });
}

/** The message follows what is chosen: a line for each document, unless somebody wrote it otherwise. */
function wanted(box) {
  const message = part('message');
  const list = message.value.split('\n');
  const at = list.indexOf(box.dataset.line);
  if (box.checked && at < 0) {
    const last = list.findLastIndex((line) => line.startsWith('- '));
    list.splice(last < 0 ? 1 : last + 1, 0, box.dataset.line);
  } else if (!box.checked && at >= 0) list.splice(at, 1);
  message.value = list.join('\n');
  keep();
}

async function send() {
  if (busy) return;
  const reason = part('reason').value.trim();
  if (!reason) { announce(say('reason_first')); part('reason').focus(); part('reason').setAttribute('aria-invalid', 'true'); return; }
  if (desk.lost) return announce(say('lost'));
  const chosen = boxes().filter((box) => box.checked).map((box) => box.dataset.wanted);
  busy = true;
  part('confirm-decision').disabled = true;
  const body = { ...desk.grip(), outcome, reason, wanted: chosen, message: part('message').value };
  const answer = await call('POST', `${desk.address}/decision`, body);
  if (answer.status === 200) {
    drafts.clear();
    location.assign(`/queue?done=${encodeURIComponent(answer.body.effect)}`);
    return;
  }
  if (!(await refused(answer))) announce(say('failed'));
  busy = false;
  part('confirm-decision').disabled = false;
}

/** What was written before a reload. */
export function restore() {
  const draft = drafts.get('decision');
  if (!draft || !part('decide')) return;
  part('reason').value = draft.reason;
  part('message').value = draft.message;
  for (const box of boxes()) box.checked = draft.wanted.includes(box.dataset.wanted);
  if (draft.outcome) choose(draft.outcome);
}

/** After a change: the ticks are as they were, and the message's draft follows the rules, as long as
 * nobody wrote in it. */
export function follow(fresh) {
  const message = part('message');
  if (!message || fresh === undefined) return;
  const draft = drafts.get('decision');
  if (draft && outcome) for (const box of boxes()) box.checked = draft.wanted.includes(box.dataset.wanted);
  const untouched = message.value === message.defaultValue;
  message.defaultValue = fresh;
  if (untouched) message.value = fresh;
}

export function start() {
  const section = part('decide');
  if (!section) return;
  section.querySelector('.bar').addEventListener('click', (event) => {
    const button = event.target.closest('button[name=outcome]');
    if (!button) return;
    event.preventDefault();
    if (outcome === button.value) close();
    else choose(button.value);
  });
  part('decision').addEventListener('submit', (event) => { event.preventDefault(); if (outcome) send(); });
  part('cancel-decision').addEventListener('click', close);
  section.addEventListener('change', (event) => { if (event.target.matches('[data-wanted]')) wanted(event.target); });
  section.addEventListener('input', (event) => {
    if (event.target.id !== 'reason' && event.target.id !== 'message') return;
    event.target.removeAttribute('aria-invalid');
    keep();
  });
  section.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && isOpen()) { event.preventDefault(); close(); part('panel').focus({ preventScroll: true }); }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); part('decision').requestSubmit(part('confirm-decision')); }
  });
}
