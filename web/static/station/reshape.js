// A document that is of another type, or several in one.

import { call } from './api.js';
import { announce, desk, refresh, refused } from './desk.js';
import { drafts } from './drafts.js';
import { nameOf, say } from './texts.js';

let busy = false;

async function send(change, count) {
  if (busy) return;
  if (desk.lost) return announce(say('lost'));
  busy = true;
  announce(say('reading_again'));
  const answer = await call('POST', `${desk.address}/corrections`, { ...desk.grip(), ...change });
  if (answer.status === 200) {
    drafts.shift(change.document, count);
    desk.revision = answer.body.revision;
    await refresh();
    const open = answer.body.reasons.filter((reason) => reason.code === 'UNCERTAIN_FIELD').length;
    announce(say('saved', { outcome: nameOf('outcome', answer.body.outcome), open }));
  } else if (!(await refused(answer))) announce(answer.body?.detail ?? say('failed'));
  busy = false;
}

/** The parts that the ticked pages begin, each with its type and its pages by file. */
function partsOf(form) {
  const parts = [];
  for (const item of form.querySelectorAll('li')) {
    const begins = item.querySelector('[name=begins]');
    if (!begins || begins.checked) parts.push({ type: item.querySelector('[name=type]').value, parts: [] });
    const part = parts.at(-1);
    const { sha, file, page } = item.dataset;
    const last = part.parts.at(-1);
    if (last?.sha256 === sha && last.file === file) last.pages.push(Number(page));
    else part.parts.push({ file, sha256: sha, pages: [Number(page)] });
  }
  return parts;
}

export function start() {
  const panel = document.getElementById('panel');
  panel.addEventListener('change', (event) => {
    if (event.target.name !== 'begins') return;
    event.target.closest('li').querySelector('[name=type]').hidden = !event.target.checked;
  });
  panel.addEventListener('submit', (event) => {
    const { retype, split } = event.target.dataset;
    if (retype === undefined && split === undefined) return;
    event.preventDefault();
    if (retype !== undefined) {
      return send({ action: 'retype', document: Number(retype), type: event.target.elements.type.value }, 1);
    }
    const into = partsOf(event.target);
    if (into.length < 2) return announce(say('split_where'));
    send({ action: 'split', document: Number(split), into }, into.length);
  });
}
