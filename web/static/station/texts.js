// What the scripts say, in the page's language: the server wrote it into the page.

const texts = JSON.parse(document.getElementById('desk').dataset.texts);

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

/** The sentence `station.say.<key>` with its placeholders filled. */
export const say = (key, values = {}) => fill(texts.say[key] ?? key, values);

/** The name of a code of a family; the code itself when nobody named it. */
export const nameOf = (family, code) => texts[family]?.[code] ?? code;
