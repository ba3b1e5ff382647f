// The start page: a challenge is fetched when a person does something, and sent with the form. What the screens behind
// it need is loaded then, too, and not before: whoever only looks loads as little as there is.

const PATIENCE = 30000; // milliseconds after which an answer does not come
const FRESH = 300000; // a challenge is good for ten minutes: whoever read for longer gets another

const form = document.querySelector("[data-start]");
let asked = null;
let since = 0;

async function challenge() {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const answer = await fetch(form.dataset.start, { method: "POST", headers: { "X-Passerelle-Fragment": "1" }, signal: patience.signal });
    return (answer.ok && (await answer.json()).challenge) || "";
  } finally {
    clearTimeout(timer);
  }
}

function prepare(event) {
  if (!event.isTrusted || (asked && Date.now() - since < FRESH)) return;
  since = Date.now();
  asked = challenge();
  asked.catch(() => (asked = null));
  for (const script of [import("./page.js"), import("./screen.js")]) script.catch(() => {});
}

async function submitted(event) {
  event.preventDefault();
  form.setAttribute("aria-busy", "true");
  try {
    form.elements.challenge.value = (await asked) || "";
    // Even without a challenge: the server knows another way.
    form.submit();
  } catch {
    asked = null;
    form.removeAttribute("aria-busy");
    form.querySelector("[data-status]").textContent = form.dataset.sayFailed;
  }
}

for (const name of ["pointerdown", "keydown", "touchstart", "click"]) addEventListener(name, prepare, { passive: true });
form.addEventListener("submit", submitted);
