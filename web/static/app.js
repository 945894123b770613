// Keeps open pages up to date and the case in hand alive. Pages work without it.

const queue = document.querySelector('[data-live="queue"]');
const held = document.querySelector('[data-generation]');

if (document.querySelector('header.top')) {
  const changed = new EventSource('/events');
  let waiting = 0;
  const reload = () => {
    // Somebody who is typing is not interrupted.
    if (queue && !document.activeElement?.closest('form')) location.reload();
  };
  changed.addEventListener('case', () => {
    clearTimeout(waiting);
    waiting = setTimeout(reload, 1500);
  });
}

if (held) {
  const beat = async () => {
    const answer = await fetch(`/api/v1/cases/${held.dataset.case}/lease`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ generation: Number(held.dataset.generation) }),
    });
    if (answer.status === 409) location.reload();
  };
  setInterval(() => { if (!document.hidden) beat().catch(() => {}); }, 60_000);
}
