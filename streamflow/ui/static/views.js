// Saved views: a name for what the list's address says after the question mark (filter and columns). They are kept in this
// browser, a list for each namespace. Without this script, or without storage, there are none.

const views = document.getElementById("views");
const save = document.getElementById("save");
const VIEWS_MAX = 30;
const KEPT = ["query", "columns", "column"];

if (views) beginViews();

function beginViews() {
  const key = `streamflow-views-${views.dataset.namespace}`;
  let saved = read(key);
  if (saved === null) return;
  save.hidden = false;
  show(saved);

  save.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const box = document.getElementById("view-name");
    const name = box.value.trim();
    if (!name) return;
    saved = [...saved.filter((one) => one.name !== name), { name, search: here() }].slice(-VIEWS_MAX);
    box.value = "";
    save.open = false;
    keep(`Saved ${name}`);
  });
  views.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-forget]");
    if (!button) return;
    saved = saved.filter((one) => one.name !== button.dataset.forget);
    keep(`Forgot ${button.dataset.forget}`);
    save.querySelector("summary").focus();
  });

  function keep(text) {
    localStorage.setItem(key, JSON.stringify(saved));
    show(saved);
    document.getElementById("said").textContent = text;
  }
}

// What is kept may be of another release, or of anybody who had this browser: only what is of our form counts.
function read(key) {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "[]");
    const sound = (one) => typeof one?.name === "string" && typeof one?.search === "string";
    return Array.isArray(found) ? found.filter(sound).slice(-VIEWS_MAX) : [];
  } catch (error) {
    return error instanceof SyntaxError ? [] : null;
  }
}

function here() {
  return search(location.search);
}

// Parameters of ours alone, so that a view is never more than a way of looking at this list.
function search(text) {
  const kept = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(text)) {
    if (KEPT.includes(name) && value) kept.append(name, value);
  }
  return kept.toString();
}

function show(saved) {
  const now = here();
  const chips = saved.map((one) => {
    const chip = document.createElement("span");
    chip.className = "saved";
    const link = document.createElement("a");
    link.className = "chip";
    link.textContent = one.name;
    const wanted = search(one.search);
    link.href = location.pathname + (wanted ? `?${wanted}` : "");
    if (wanted === now) link.setAttribute("aria-current", "true");
    const forget = document.createElement("button");
    forget.type = "button";
    forget.className = "quiet";
    forget.dataset.forget = one.name;
    forget.textContent = "×";
    forget.setAttribute("aria-label", `Forget ${one.name}`);
    chip.append(link, forget);
    return chip;
  });
  views.replaceChildren(...chips);
  views.hidden = !chips.length;
}
