// Calls of the server. What is no answer at all is status 0.

/** `{status, body}`; the body of a problem has `code`, `detail` and perhaps `field`. */
export async function call(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    let read = null;
    try { read = text ? JSON.parse(text) : null; } catch { /* A proxy may answer with a page. */ }
    return { status: answer.status, body: read };
  } catch {
    return { status: 0, body: null };
  }
}

/** The page as it is now; `null` when the server does not give it. */
export async function page(path) {
  try {
    const answer = await fetch(path, { headers: { accept: 'text/html' } });
    if (!answer.ok || new URL(answer.url).pathname !== path) return { status: answer.redirected ? 401 : answer.status };
    return { status: 200, page: new DOMParser().parseFromString(await answer.text(), 'text/html') };
  } catch {
    return { status: 0 };
  }
}
