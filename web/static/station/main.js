// The review station. Each part knows one thing; here they are put together.

import * as decide from './decide.js';
import { desk, onRefresh, refresh, stay } from './desk.js';
import * as fields from './fields.js';
import * as keys from './keys.js';
import * as reshape from './reshape.js';
import * as table from './table.js';
import * as viewer from './viewer.js';

const restore = (fresh) => {
  fields.restore();
  table.restore();
  viewer.again();
  decide.follow(fresh.getElementById('message')?.defaultValue);
};

viewer.listen(
  (place) => (table.currentCell() ? table.fill(place) : fields.fill(place)),
  (row) => fields.goTo(row),
);
viewer.start();
fields.start();
table.start();
decide.start();
reshape.start();
keys.start();
onRefresh(restore);
document.addEventListener('station:refresh', () => refresh());
fields.restore();
table.restore();
decide.restore();

const asked = location.hash.startsWith('#d') ? document.getElementById(location.hash.slice(1)) : null;
const question = document.querySelector('.questions a');
if (asked) fields.goTo(asked);
else if (question && desk.generation !== null && !decide.isOpen()) {
  // Why the case is here comes first; Enter goes to what is asked.
  question.focus({ preventScroll: true });
  fields.look(document.getElementById(question.hash.slice(1)));
}
viewer.begin();
stay();
document.documentElement.dataset.ready = 'station';
