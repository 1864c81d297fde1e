// Scrubbing through a run's steps: the slider, the buttons and the arrow keys fetch the page of a step and put its part in
// place, so that what was opened stays open and the slider is never taken out of a hand. Without this script they are a form
// and links.

const travel = document.getElementById("travel");
const slider = document.getElementById("step");
const WAIT_MS = 80;
const FOLLOW_MS = 2000;
let loading = null;
let waiting = 0;

if (travel) begin();

function begin() {
  document.querySelector(".unscripted")?.remove();
  slider.addEventListener("input", () => go(Number(slider.value)));
  travel.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-go]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    move(link.dataset.go);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select, .source, pre") || event.ctrlKey || event.metaKey || event.altKey) return;
    const where = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last" }[event.key];
    if (!where) return;
    event.preventDefault();
    move(where);
  });
  setInterval(() => {
    if (travel.dataset.follow && !document.hidden && !loading) load(travel.dataset.follow, true);
  }, FOLLOW_MS);
}

function move(where) {
  const now = Number(slider.value);
  const last = Number(slider.max);
  go({ first: 1, previous: now - 1, next: now + 1, last }[where]);
}

// What is shown at once is the number; the step itself follows when the hand rests for a moment.
function go(number) {
  const step = Math.min(Math.max(number, 1), Number(slider.max));
  delete travel.dataset.follow;
  name(step, slider.max);
  const address = new URL(location.href);
  address.searchParams.set("step", String(step));
  history.replaceState(null, "", address);
  clearTimeout(waiting);
  waiting = setTimeout(() => load(address.href, false), WAIT_MS);
}

function name(step, total) {
  slider.max = total;
  slider.value = step;
  const text = `Step ${step} of ${total}`;
  slider.setAttribute("aria-valuetext", text);
  document.getElementById("travel-at").textContent = text;
}

async function load(address, following) {
  loading?.abort();
  const own = new AbortController();
  loading = own;
  travel.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: own.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const step = page.getElementById("travel-step");
    if (!step) {
      if (!following) location.assign(address);
      return;
    }
    // Meanwhile a step may have been chosen by hand.
    if (following && !travel.dataset.follow) return;
    put(step, page, following);
  } catch (error) {
    if (error.name !== "AbortError") document.getElementById("said").textContent = "The step could not be fetched.";
  } finally {
    if (loading === own) {
      loading = null;
      travel.removeAttribute("aria-busy");
    }
  }
}

function put(step, page, following) {
  const old = document.getElementById("travel-step");
  const isNews = step.dataset.step !== old.dataset.step || step.dataset.total !== old.dataset.total;
  if (following && !isNews) return;
  const opened = new Map();
  for (const one of old.querySelectorAll("details[data-key]")) opened.set(one.dataset.key, one.open);
  for (const one of step.querySelectorAll("details[data-key]")) {
    // What the step changed is open in any case.
    if (opened.has(one.dataset.key)) one.open ||= opened.get(one.dataset.key);
  }
  const focused = document.activeElement?.dataset?.go;
  old.replaceWith(document.adoptNode(step));
  document.getElementById("travel-links").replaceWith(document.adoptNode(page.getElementById("travel-links")));
  if (focused) document.querySelector(`a[data-go="${focused}"]`)?.focus();
  name(step.dataset.step, step.dataset.total);
  if (following && !page.getElementById("travel").dataset.follow) delete travel.dataset.follow;
  if (document.activeElement !== slider) document.getElementById("said").textContent = `Step ${step.dataset.step} of ${step.dataset.total}`;
}
