// Keeps the parts of a page that are marked `data-live` as they would be if the page were loaded again now.
// A part is touched only when it differs, and a focused button keeps its focus, so that keyboards are not interrupted.

const PERIOD_MS = 1000;

async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (now === null || now.innerHTML === part.innerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceChildren(...now.childNodes);
    if (focused) document.getElementById(focused)?.focus();
  }
  document.title = fresh.title;
}

async function follow() {
  // A page that nobody looks at asks for nothing; one that cannot reach the site tries again.
  if (!document.hidden) await refresh().catch(() => {});
  setTimeout(follow, PERIOD_MS);
}

if (document.querySelector("[data-live]")) setTimeout(follow, PERIOD_MS);
