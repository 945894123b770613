// What was typed and not saved, kept in the tab until it is: a reload, a lost lease or a server that is
// away takes nothing from anybody. Leaves with the tab, and when somebody logs out.

const desk = document.getElementById('desk');
const key = `draft:${desk.dataset.user}:${desk.dataset.case}`;

let kept = {};
try { kept = JSON.parse(sessionStorage.getItem(key)) ?? {}; } catch { /* Nothing usable was kept. */ }

function write() {
  try {
    if (Object.keys(kept).length) sessionStorage.setItem(key, JSON.stringify(kept));
    else sessionStorage.removeItem(key);
  } catch { /* The tab's store is full: the text still stands on the page. */ }
}

export const drafts = {
  get: (name) => kept[name],
  names: () => Object.keys(kept),
  set(name, value) { kept[name] = value; write(); },
  drop(name) { delete kept[name]; write(); },
  clear() { kept = {}; write(); },
  /** After a document became `count`: what was typed into those behind it moves along. */
  shift(document, count) {
    const moved = {};
    for (const [name, value] of Object.entries(kept)) {
      const [, index, rest] = /^d(\d+)-(.*)$/.exec(name) ?? [];
      if (index === undefined || Number(index) < document) moved[name] = value;
      else if (Number(index) > document) moved[`d${Number(index) + count - 1}-${rest}`] = value;
    }
    kept = moved;
    write();
  },
};
