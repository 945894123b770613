// The case in hand: what changes are made under, what went wrong and is said plainly, and the page
// brought up to date without losing what was typed.

import { call, page } from './api.js';
import { say, nameOf } from './texts.js';

const root = document.getElementById('desk');
const notices = document.getElementById('notices');
const announcer = document.getElementById('announce');
const refreshed = [];

export const desk = {
  id: root.dataset.case,
  revision: Number(root.dataset.revision),
  generation: root.dataset.generation === undefined ? null : Number(root.dataset.generation),
  lost: false,
  address: `/api/v1/cases/${root.dataset.case}`,
  grip: () => ({ generation: desk.generation, revision: desk.revision }),
};

/** `then` is called with the new page after this one was brought up to date. */
export const onRefresh = (then) => refreshed.push(then);

/** Said to screen readers, and shown for those who see. */
export function announce(text) {
  announcer.textContent = '';
  announcer.textContent = text;
}

/** Something that stays until it is over. `acts` are pairs of a text and what its button does. */
export function notice(name, text, acts = []) {
  dismiss(name);
  const shown = document.createElement('p');
  shown.className = 'alert';
  shown.dataset.notice = name;
  shown.append(text, ' ');
  for (const [label, act] of acts) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.addEventListener('click', act);
    shown.append(button, ' ');
  }
  notices.append(shown);
}

export const dismiss = (name) => notices.querySelector(`[data-notice="${name}"]`)?.remove();

/** The case is in somebody else's hands, or nobody's. What was typed stays. */
export function lose() {
  if (desk.lost) return;
  desk.lost = true;
  root.classList.add('lost');
  notice('lost', say('lost'), [[say('take_again'), takeAgain]]);
}

async function takeAgain() {
  const { status, body } = await call('POST', `${desk.address}/lease`);
  if (status !== 200) {
    notice('lost', `${status ? nameOf('problem', body?.code ?? '') || say('failed') : say('offline')} ${say('kept')}`,
      [[say('take_again'), takeAgain]]);
    return;
  }
  desk.generation = body.generation;
  desk.lost = false;
  root.classList.remove('lost');
  dismiss('lost');
  const before = desk.revision;
  await refresh();
  announce(desk.revision === before ? say('taken_again') : say('stale'));
}

/** An answer that is no success, told to the person. `false` when it is about the value itself. */
export async function refused({ status, body }) {
  if (status === 0) notice('server', say('offline'), [[say('try_again'), () => dismiss('server')]]);
  else if (status === 401) notice('server', say('signed_out'), [[say('log_in'), logIn]]);
  else if (status === 409 && body?.code === 'lost_lease') lose();
  else if (status === 409 && ['stale', 'rules_changed'].includes(body?.code)) {
    await refresh();
    notice('stale', say(body.code), [[say('seen'), () => dismiss('stale')]]);
  } else if (status === 409) notice('server', `${nameOf('problem', body?.code ?? '')} ${say('kept')}`, [[say('look_again'), () => location.reload()]]);
  else if (status === 422) return false;
  else notice('server', say('failed'), [[say('try_again'), () => dismiss('server')]]);
  return true;
}

function logIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
}

/** Takes over what the server shows now. Focus, scroll and what is open stay as they are. */
export async function refresh() {
  const { status, page: fresh } = await page(location.pathname);
  if (status !== 200) {
    if (status === 401) await refused({ status });
    return false;
  }
  const found = fresh.getElementById('desk');
  const panel = document.getElementById('panel');
  const [focused, top] = [document.activeElement?.id, panel.scrollTop];
  const open = new Map([...root.querySelectorAll('details[id]')].map((part) => [part.id, part.open]));
  for (const part of root.querySelectorAll('[data-part]')) {
    const news = found.querySelector(`[data-part="${part.dataset.part}"]`);
    if (news) part.replaceWith(document.adoptNode(news));
  }
  for (const part of root.querySelectorAll('details[id]')) if (open.has(part.id)) part.open = open.get(part.id);
  desk.revision = Number(found.dataset.revision);
  for (const input of root.querySelectorAll('input[name=revision]')) input.value = desk.revision;
  if (desk.generation !== null && !desk.lost) {
    if (found.dataset.generation === undefined) lose();
    else desk.generation = Number(found.dataset.generation);
  }
  for (const input of root.querySelectorAll('input[name=generation]')) input.value = desk.generation;
  dismiss('server');
  for (const then of refreshed) then(fresh);
  panel.scrollTop = top;
  const back = focused ? document.getElementById(focused) : null;
  back?.focus({ preventScroll: true });
  // What stands above it may have grown.
  back?.scrollIntoView({ block: 'nearest' });
  return true;
}

/** Keeps the lease, and hears when the case changes elsewhere. */
export function stay() {
  const beat = async () => {
    if (desk.generation === null || desk.lost) return;
    const { status, body } = await call('PUT', `${desk.address}/lease`, { generation: desk.generation });
    if (status === 409) lose();
    else if (status === 401) await refused({ status, body });
    else if (status === 200) dismiss('server');
  };
  setInterval(() => { if (!document.hidden) beat(); }, 60_000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) beat(); });
  const live = new EventSource('/events');
  let waiting = 0;
  live.addEventListener('case', (event) => {
    const change = JSON.parse(event.data);
    if (change.case_id !== desk.id) return;
    clearTimeout(waiting);
    // One's own changes come back too: their answers were there first.
    waiting = setTimeout(() => (desk.generation === null ? location.reload() : beat()), 300);
  });
}
