// Keeps the open queue up to date. Pages work without it.

const queue = document.querySelector('[data-live="queue"]');

if (queue) {
  const changed = new EventSource('/events');
  let waiting = 0;
  const reload = () => {
    // Somebody who is typing is not interrupted.
    if (!document.activeElement?.closest('form')) location.reload();
  };
  changed.addEventListener('case', (event) => {
    // Pages that were read move nothing in a list.
    if (JSON.parse(event.data).what === 'reading') return;
    clearTimeout(waiting);
    waiting = setTimeout(reload, 1500);
  });
}

// What was typed and not saved does not wait for the next person at this browser.
document.querySelector('form[action="/logout"]')?.addEventListener('submit', () => sessionStorage.clear());
