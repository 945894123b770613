// The page on the left: its picture, zoom, turn and pan, the boxes of the fields over it, and places
// that are selected on it. Places are a file, a page and a box as fractions of the upright page.

import { call } from './api.js';
import { announce } from './desk.js';
import { say } from './texts.js';

const stage = document.getElementById('stage');
const sheet = document.getElementById('sheet');
const paper = document.getElementById('paper');
const picture = document.getElementById('picture');
const boxes = document.getElementById('boxes');
const margin = 10;
const view = { sheet: null, zoom: 1, turn: 0, hand: false, boxes: true, marked: null };
const words = new Map();
let onSelect = () => {};
let onPick = () => {};

const sheets = () => [...document.querySelectorAll('[data-sheet]')];
const svg = (name) => document.createElementNS('http://www.w3.org/2000/svg', name);

/** `select({file, page, box, words})` hears selections, `pick(row)` clicks on a field's box. */
export function listen(select, pick) { [onSelect, onPick] = [select, pick]; }

export const isAt = (file, page) => view.sheet?.dataset.file === file && view.sheet?.dataset.page === String(page);

function open(link, then = () => {}) {
  for (const other of sheets()) other.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'page');
  link.scrollIntoView({ block: 'nearest' });
  const all = sheets();
  document.getElementById('where').textContent = `${all.indexOf(link) + 1} / ${all.length}`;
  const address = `${link.dataset.address}.png`;
  const title = say('page', { document: link.dataset.title, page: link.dataset.page, file: link.dataset.file });
  view.sheet = link;
  stage.setAttribute('aria-label', title);
  sheet.hidden = false;
  document.getElementById('empty').hidden = true;
  const shown = () => { lay(); then(); fillStrip(); };
  picture.alt = title;
  if (picture.getAttribute('src') === address && picture.complete) return shown();
  sheet.classList.add('loading');
  picture.onload = () => { sheet.classList.remove('loading'); shown(); };
  picture.onerror = () => {
    sheet.hidden = true;
    const empty = document.getElementById('empty');
    empty.hidden = false;
    empty.textContent = say('no_picture');
  };
  picture.src = address;
}

/** The small pictures come after the large one: a picture takes the server a moment, and somebody waits. */
function fillStrip() {
  for (const small of document.querySelectorAll('.strip img:not([src])')) small.src = small.dataset.picture;
}

/** Sizes and turns the page, and draws the boxes of its fields. */
function lay() {
  if (!picture.naturalWidth) return;
  const aside = view.turn % 2 === 1;
  const [wide, high] = [picture.naturalWidth, picture.naturalHeight];
  const scale = (view.zoom * (stage.clientWidth - 2 * margin)) / (aside ? high : wide);
  const [width, height] = [wide * scale, high * scale];
  Object.assign(sheet.style, { width: `${aside ? height : width}px`, height: `${aside ? width : height}px` });
  const moved = [`none`, `translateX(${height}px) rotate(90deg)`, `translate(${width}px, ${height}px) rotate(180deg)`, `translateY(${width}px) rotate(270deg)`];
  Object.assign(paper.style, { width: `${width}px`, height: `${height}px`, transform: moved[view.turn] });
  document.getElementById('zoom').textContent = `${Math.round(view.zoom * 100)} %`;
  draw();
}

export function draw() {
  boxes.replaceChildren();
  if (!view.sheet) return;
  const { file, page } = view.sheet.dataset;
  if (view.boxes) {
    for (const row of document.querySelectorAll(`.field[data-box][data-page="${page}"]`)) {
      if (row.dataset.file !== file) continue;
      const rect = rectangle(row.dataset.box.split(' ').map(Number), `box ${row.dataset.need}`);
      rect.dataset.row = row.id;
    }
  }
  const marked = view.marked;
  if (marked && marked.file === file && String(marked.page) === page) rectangle(marked.box, 'box marked', 0.004);
}

function rectangle([left, top, width, height], kind, around = 0.002) {
  const rect = svg('rect');
  const values = { x: left - around, y: top - around, width: width + 2 * around, height: height + 2 * around };
  for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
  rect.setAttribute('class', kind);
  boxes.append(rect);
  return rect;
}

/** Shows a place: its page, its box, scrolled to. Without a box the mark goes. */
export function show(place) {
  view.marked = place?.box?.[2] > 0 ? place : null;
  if (!view.marked) return draw();
  const { file, page } = place;
  if (isAt(file, page)) { draw(); return reach(place.box); }
  const link = sheets().find((link) => link.dataset.file === file && link.dataset.page === String(page));
  if (link) open(link, () => reach(place.box));
}

/** Some page of a document, unless one is shown already. */
export function showDocument(document) {
  if (view.sheet?.dataset.document === document) return;
  const link = sheets().find((link) => link.dataset.document === document);
  if (link) open(link, () => stage.scrollTo(0, 0));
}

/** Scrolls the stage so that a box is seen. */
function reach(box) {
  const frame = paper.getBoundingClientRect();
  const [left, top] = turned(box[0] + box[2] / 2, box[1] + box[3] / 2);
  const outer = stage.getBoundingClientRect();
  const x = frame.left + left * frame.width - outer.left + stage.scrollLeft;
  const y = frame.top + top * frame.height - outer.top + stage.scrollTop;
  const inside = x > stage.scrollLeft + 40 && x < stage.scrollLeft + stage.clientWidth - 40
    && y > stage.scrollTop + 40 && y < stage.scrollTop + stage.clientHeight - 40;
  if (!inside) stage.scrollTo({ left: x - stage.clientWidth / 2, top: y - stage.clientHeight / 2 });
}

/** From fractions of the upright page to fractions of the page as it lies on the screen, and back. */
const turned = (x, y) => [[x, y], [1 - y, x], [1 - x, 1 - y], [y, 1 - x]][view.turn];
const upright = (x, y) => [[x, y], [y, 1 - x], [1 - x, 1 - y], [1 - y, x]][view.turn];

function placeOf(event) {
  const frame = paper.getBoundingClientRect();
  const within = (value) => Math.min(1, Math.max(0, value));
  return upright(within((event.clientX - frame.left) / frame.width), within((event.clientY - frame.top) / frame.height));
}

/** The words of the page that is shown, or `null`. */
async function wordsOf(link) {
  const address = `${link.dataset.address}/words`;
  if (!words.has(address)) {
    const { status, body } = await call('GET', address);
    if (status !== 200) return null;
    words.set(address, body.words);
  }
  return words.get(address);
}

const centre = ([left, top, width, height]) => [left + width / 2, top + height / 2];

async function select(from, to) {
  const link = view.sheet;
  const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
  const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
  const found = await wordsOf(link);
  if (!found) return announce(say('no_words_now'));
  const under = found.filter((word) => {
    const [x, y] = centre(word.box);
    return x >= left && x <= right && y >= top && y <= bottom;
  });
  // The box of the words themselves: a hand draws wider.
  const edges = under.map((word) => word.box);
  const around = edges.length
    ? [Math.min(...edges.map((box) => box[0])), Math.min(...edges.map((box) => box[1])),
      Math.max(...edges.map((box) => box[0] + box[2])), Math.max(...edges.map((box) => box[1] + box[3]))]
    : [left, top, right, bottom];
  const box = [around[0], around[1], around[2] - around[0], around[3] - around[1]].map((edge) => Number(edge.toFixed(5)));
  onSelect({ file: link.dataset.file, page: Number(link.dataset.page), box, words: under.map((word) => word.text).join(' ') });
}

/** What a button of the toolbar, or its key, does. */
export const acts = {
  previous: () => step(-1),
  next: () => step(1),
  in: () => zoom(view.zoom * 1.25),
  out: () => zoom(view.zoom / 1.25),
  fit: () => { view.turn = 0; zoom(1); },
  rotate: () => { view.turn = (view.turn + 1) % 4; lay(); },
  hand: (button) => { view.hand = toggled(button, view.hand); stage.classList.toggle('hand', view.hand); },
  boxes: (button) => { view.boxes = toggled(button, view.boxes); draw(); },
};

function toggled(button, was) {
  button.setAttribute('aria-pressed', String(!was));
  return !was;
}

function step(by) {
  const all = sheets();
  const next = all[all.indexOf(view.sheet) + by];
  if (next) open(next, () => stage.scrollTo(0, 0));
}

function zoom(factor) {
  const middle = [(stage.scrollLeft + stage.clientWidth / 2) / sheet.offsetWidth, (stage.scrollTop + stage.clientHeight / 2) / sheet.offsetHeight];
  view.zoom = Math.min(6, Math.max(0.25, factor));
  lay();
  stage.scrollTo(middle[0] * sheet.offsetWidth - stage.clientWidth / 2, middle[1] * sheet.offsetHeight - stage.clientHeight / 2);
}

export const pan = (x, y) => stage.scrollBy(x * 80, y * 80);

function drag(event) {
  if (event.button !== 0 || !view.sheet || sheet.hidden) return;
  const panning = view.hand;
  const start = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop, place: placeOf(event) };
  const rubber = panning ? null : rectangle([0, 0, 0, 0], 'box rubber', 0);
  stage.setPointerCapture(event.pointerId);
  const far = (now) => Math.hypot(now.clientX - start.x, now.clientY - start.y) > 5;
  const move = (now) => {
    if (panning) return stage.scrollTo(start.left - now.clientX + start.x, start.top - now.clientY + start.y);
    const to = placeOf(now);
    rubber.setAttribute('x', Math.min(start.place[0], to[0]));
    rubber.setAttribute('y', Math.min(start.place[1], to[1]));
    rubber.setAttribute('width', Math.abs(start.place[0] - to[0]));
    rubber.setAttribute('height', Math.abs(start.place[1] - to[1]));
  };
  const end = (now) => {
    stage.removeEventListener('pointermove', move);
    stage.removeEventListener('pointerup', end);
    stage.removeEventListener('pointercancel', end);
    rubber?.remove();
    if (now.type === 'pointercancel' || panning) return;
    if (far(now)) select(start.place, placeOf(now));
    else pick(start.place);
  };
  stage.addEventListener('pointermove', move);
  stage.addEventListener('pointerup', end);
  stage.addEventListener('pointercancel', end);
}

/** The smallest box under a click. */
function pick([x, y]) {
  const under = [...boxes.querySelectorAll('[data-row]')].filter((rect) => {
    const [left, top, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(rect.getAttribute(name)));
    return x >= left && x <= left + width && y >= top && y <= top + height;
  });
  const size = (rect) => Number(rect.getAttribute('width')) * Number(rect.getAttribute('height'));
  const row = under.sort((one, other) => size(one) - size(other))[0]?.dataset.row;
  if (row) onPick(document.getElementById(row));
}

/** After the strip was brought up to date: the page that is shown is still the current one. */
export function again() {
  const before = view.sheet?.dataset;
  const all = sheets();
  if (before) fillStrip();
  const same = all.find((link) => before && link.dataset.file === before.file && link.dataset.page === before.page);
  if (same ?? all[0]) open(same ?? all[0]);
}

export function start() {
  document.querySelector('.viewer .tools').addEventListener('click', (event) => {
    const button = event.target.closest('[data-view]');
    if (button) acts[button.dataset.view](button);
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest('[data-sheet]');
    if (!link) return;
    event.preventDefault();
    open(link, () => stage.scrollTo(0, 0));
  });
  stage.addEventListener('pointerdown', drag);
  // Selecting on the page takes the focus from no field.
  stage.addEventListener('mousedown', (event) => {
    if (document.activeElement?.matches('[data-value], [data-cell]')) event.preventDefault();
  });
  stage.addEventListener('wheel', (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(view.zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
  }, { passive: false });
  new ResizeObserver(() => lay()).observe(stage);
}

/** The first page, unless something asked for another one. */
export function begin() {
  if (!view.sheet) again();
}
