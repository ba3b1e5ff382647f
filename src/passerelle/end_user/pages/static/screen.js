// The end user's screens. Everything works without this file; with it, nothing that was typed can be lost, pages
// change without a reload, and files show how far they are. It holds no rules: what is right, visible or next, the
// server says. The widget's frame uses it too, with a session that it sends in a header.

const PATIENCE = 30000; // milliseconds without any progress after which nobody is left to wait

/** Let the screen inside `root` come alive.
 *
 *  session   the frame's own credential, where no cookie can be kept
 *  url       where the screens are: `/x/<execution>`; the page's own address without it
 *  language  the first screen's; the execution's, else the browser's, without it
 *  focus     whether the first screen takes the focus, which is rude inside of another page
 *  history   whether the browser's Back leads to the step before
 *  onScreen  called with {kind, step, status, end, code, title} for every screen that is shown
 *  onNews    called with the element that somebody has to see now, where the page around has to scroll to it
 *  Returns {load, flush, unsaved}.
 */
export function mount(root, { session, url = location.pathname, language = null, focus = true, history: keeps = false, onScreen = () => {}, onNews = null } = {}) {
  const page = { root, session, url, language, focus, keeps, onScreen, onNews, round: 0, depth: depthOf(history.state), busy: false, pressed: false, failed: [], sending: null, draft: null };
  document.documentElement.classList.add("scripted");
  root.addEventListener("submit", (event) => submitted(page, event));
  root.addEventListener("click", (event) => clicked(page, event));
  root.addEventListener("input", (event) => page.draft?.typed(event.target));
  root.addEventListener("click", (event) => {
    for (const menu of root.querySelectorAll(".language-choice details[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  root.addEventListener("change", (event) => page.draft?.typed(event.target, true));
  root.addEventListener("focusout", (event) => page.draft?.left(event));
  root.addEventListener("pointerdown", () => (page.pressed = true));
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(() => (page.pressed = false)));
  addEventListener("offline", () => connection(page));
  addEventListener("online", () => {
    connection(page);
    page.draft?.save();
    for (const line of [...page.failed]) line.querySelector("[data-retry]:not([hidden])")?.click();
  });
  // A file that misses its place must not take the page's.
  for (const name of ["dragover", "drop"]) root.addEventListener(name, (event) => dropped(page, event));
  for (const [target, name] of [[window, "pagehide"], [document, "visibilitychange"]])
    target.addEventListener(name, () => document.visibilityState !== "visible" && page.draft?.save(true));
  addEventListener("pageshow", (event) => event.persisted && load(page));
  if (keeps) addEventListener("popstate", (event) => moved(page, depthOf(event.state)));
  if (page.root.querySelector("#screen")) enliven(page);
  return { load: () => load(page), flush: () => page.draft?.save(true), unsaved: () => Boolean(page.draft?.dirty) };
}

const screenOf = (page) => page.root.querySelector("#screen");
const say = (page, name) => screenOf(page).getAttribute(`data-say-${name}`);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** As `fetch`, with the whole body, and an end: what has not come within `PATIENCE` does not come. */
async function ask(url, options = {}) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const answer = await fetch(url, { ...options, signal: patience.signal });
    const { ok, status } = answer;
    return { ok, status, url: answer.url, type: answer.headers.get("content-type") || "", text: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}

function headers(page, more = {}) {
  const found = { "X-Passerelle-Fragment": "1", ...more };
  if (page.session) found["X-Passerelle-Session"] = page.session;
  const language = page.language || screenOf(page)?.dataset.language;
  if (language) found["X-Passerelle-Language"] = language;
  return found;
}

// Screens

async function load(page) {
  try {
    show(page, await ask(page.url, { headers: headers(page), cache: "no-store" }));
    return true;
  } catch {
    return false;
  }
}

function show(page, answer, { pushes = false } = {}) {
  if (!answer.type.startsWith("text/html")) throw new Error("no page");
  if (answer.text === page.html) return;
  const before = screenOf(page)?.dataset.step;
  page.html = answer.text;
  const holder = document.createElement("div");
  holder.innerHTML = answer.text;
  const screen = holder.querySelector("#screen");
  if (!screen) throw new Error("no screen");
  // For pages that are loaded whole; frames on other sites may not, and complain.
  for (const one of screen.querySelectorAll("[autofocus]")) one.removeAttribute("autofocus");
  const old = screenOf(page);
  if (old) old.replaceWith(screen);
  else page.root.append(screen);
  if (screen.dataset.step !== before) page.failed = [];
  if (pushes && page.keeps && screen.dataset.step !== before) history.pushState({ depth: ++page.depth }, "", location.pathname);
  enliven(page);
  if (page.focus) attend(page, new URL(answer.url, location.href).hash || screen.dataset.focus);
  page.focus = true;
}

function enliven(page) {
  const screen = screenOf(page);
  page.round += 1;
  page.language = null;
  document.documentElement.lang = screen.lang;
  document.documentElement.dir = screen.dir;
  document.title = screen.dataset.title;
  const form = screen.querySelector("[data-step-form]");
  page.draft = form && screen.dataset.kind !== "upload" ? new Draft(page, form) : null;
  if (page.busy) form?.setAttribute("aria-busy", "true");
  screen.querySelectorAll("[type=datetime-local]").forEach(atHome);
  screen.querySelectorAll("select[data-search]").forEach(searched);
  for (const place of screen.querySelectorAll("[data-document]")) prepareUploads(page, place);
  for (const picture of screen.querySelectorAll("img[data-src]")) showPicture(page, picture);
  connection(page);
  if (screen.dataset.wait) wait(page, screen.dataset.wait, page.round);
  const { kind, step, status, end, code, title } = screen.dataset;
  page.onScreen({ kind, step, status, end: end === "true", code, title });
}

// Whoever cannot see must land where the news is: at what is wrong, at what was added, or at the new heading.
function attend(page, anchor) {
  const screen = screenOf(page);
  const added = anchor && anchor.length > 1 ? screen.querySelector(`[id="${CSS.escape(anchor.slice(1))}"]`) : null;
  const field = added?.matches("input,select,textarea") ? added : added?.querySelector("input:not([type=hidden]),select,textarea");
  const target = screen.querySelector("#problems") || field || screen.querySelector("#title") || screen.querySelector("main");
  if (!field) scrollTo(0, 0);
  target.focus({ preventScroll: !field });
  page.onNews?.(target);
}

// Word of changes: a stream where it gets through, looking again where it does not.
async function wait(page, url, round) {
  for (let rest = 1000; page.round === round; rest = Math.min(rest * 1.5, 10000)) {
    let told = false;
    try {
      const answer = await fetch(url, { headers: headers(page), cache: "no-store" });
      if (answer.ok) {
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let text = "", part; page.round === round && !(part = await reader.read()).done; ) {
          text += part.value;
          if ((told = text.includes("event: screen"))) break;
        }
        reader.cancel();
      }
    } catch { /* the loop looks again */ }
    // Another device has the code that is shown: it stays until there is word.
    if (page.round === round && (told || screenOf(page).dataset.kind !== "phone")) await load(page);
    await pause(rest);
  }
}

const depthOf = (state) => state?.depth || 0;

// The browser's Back is the page's own; its Forward is not, for nothing leads on but an answer.
function moved(page, depth) {
  const goesBack = depth < page.depth;
  page.depth = depth;
  const back = screenOf(page).querySelector("[data-back]");
  if (goesBack && back) back.form.requestSubmit(back);
  else load(page);
}

// Forms

async function submitted(page, event) {
  const form = event.target;
  if (form.matches("[data-upload]")) {
    event.preventDefault();
    return sendFiles(page, form, form.querySelector("input[type=file]"));
  }
  if (!form.matches("[data-step-form]")) return;
  event.preventDefault();
  if (page.busy) return;
  page.busy = true;
  form.setAttribute("aria-busy", "true");
  reached(form);
  page.draft?.stop();
  const button = event.submitter;
  // Lists are kept whole: a draft on its way that comes after "add" or "remove" would undo it.
  if (button?.name) await page.draft?.settled();
  const body = new URLSearchParams(entriesOf(form));
  if (button?.name) body.append(button.name, button.value);
  const late = page.draft?.typedHere() || [];
  try {
    // A file that is still on its way belongs to what is sent; if it breaks, its owner has to know first.
    if (!button?.name && !(await allSent(page))) return;
    const answer = await ask(form.action, { method: "POST", body, headers: headers(page) });
    page.html = null;
    // Nobody gets another page in the place of what they typed.
    if (answer.status === 413) lost(page, form, "large");
    else show(page, answer, { pushes: button?.value !== "back" });
    if (answer.status === 409) keepLate(page, late);
  } catch (error) {
    lost(page, form, error.name === "AbortError" ? "slow" : "offline", button);
  } finally {
    page.busy = false;
    screenOf(page).querySelector("[data-step-form]")?.removeAttribute("aria-busy");
  }
}

// Moments are kept in UTC. Who can be helped with it types them by their own clock.
function atHome(control) {
  const hint = document.getElementById(`${control.id}-hint`);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (hint && control.dataset.sayZone) hint.textContent = control.dataset.sayZone.replace("%", timeZone.replaceAll("_", " "));
  const moment = new Date(`${control.defaultValue}Z`);
  if (Number.isNaN(moment.getTime())) return;
  control.value = new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, control.defaultValue.length);
}

function entriesOf(form) {
  const moment = (name) => form.elements[name]?.type === "datetime-local";
  return [...new FormData(form)].map(([name, value]) => [name, value && moment(name) ? `${new Date(value).toISOString().slice(0, 19)}Z` : value]);
}

function made(name, className, role, text = "") {
  const element = document.createElement(name);
  element.className = className;
  if (role) element.setAttribute("role", role);
  element.textContent = text;
  return element;
}

/** A button that does what did not work once more. */
function again(page, act) {
  const button = made("button", "quiet", null, say(page, "again"));
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

function lost(page, form, why, button) {
  const notice = made("div", "notice bad", "alert", say(page, why));
  notice.dataset.lost = "";
  if (why !== "large") notice.append(again(page, () => form.requestSubmit(button)));
  form.querySelector(".actions").before(notice);
  page.onNews?.(notice);
  page.draft?.resume();
}

/** That there is no connection, for as long as there is none. */
function connection(page) {
  const screen = screenOf(page);
  const told = screen?.querySelector("[data-offline]");
  if (navigator.onLine) return told?.remove();
  if (told || !screen) return;
  const notice = made("p", "notice bad", "status");
  notice.dataset.offline = "";
  screen.querySelector("main").prepend(notice);
  notice.textContent = say(page, "offline");
}

function tellOf(page, sentence) {
  const title = screenOf(page).matches("[data-step]") && screenOf(page).querySelector("#title");
  if (!title) return null;
  const notice = made("div", "notice", "status");
  title.before(notice);
  notice.textContent = sentence;
  return notice;
}

/** What was typed into a part that had been sent meanwhile: it was not taken, so it is shown to be taken along. */
function keepLate(page, late) {
  if (!late.length) return;
  const notice = screenOf(page).querySelector(".notice:not([data-offline])") || tellOf(page, "");
  if (!notice) return;
  const list = made("ul", "late");
  for (const text of late) list.append(made("li", "", null, text));
  const box = made("div", "");
  box.append(...notice.childNodes, made("p", "", null, say(page, "late")), list);
  notice.append(box);
}

const reached = (form) => form.querySelector("[data-lost]")?.remove();

function clicked(page, event) {
  const link = event.target.closest("a");
  if (!link) return;
  if (link.matches("[data-refresh]")) {
    event.preventDefault();
    load(page);
  } else if (link.closest(".language-choice") && page.session) {
    event.preventDefault();
    page.language = link.hreflang;
    load(page);
  } else if (link.matches("[data-save]") && page.session) {
    event.preventDefault();
    save(page, link);
  } else if (link.closest(".summary, .skip")) {
    const target = screenOf(page).querySelector(`[id="${CSS.escape(link.hash.slice(1))}"]`);
    if (target) {
      event.preventDefault();
      (target.closest(".field, main") || target).scrollIntoView({ block: "start" });
      target.focus({ preventScroll: true });
      page.onNews?.(target.closest(".field, main") || target);
    }
  }
}

/** Keeps a form's values on the server while somebody types, and shows what the server says to them. */
class Draft {
  constructor(page, form) {
    Object.assign(this, { page, form, dirty: false, stopped: false, sending: false, timer: 0, request: null, edited: new Set(), done: new Set(), heard: new Map() });
    this.url = `${form.action}/draft`;
    this.status = form.querySelector("[data-status]");
  }

  typed(control, soon = false) {
    if (!control.name || control.form !== this.form || control.type === "file") return;
    this.edited.add(nameOf(control));
    this.tell("");
    if (soon && control.matches("select,[type=radio],[type=checkbox]")) this.done.add(nameOf(control));
    this.later(soon ? 50 : 600);
  }

  // A field is looked at once it was left: nobody is told that half an address is none.
  left(event) {
    const control = event.target;
    const field = control.closest(".field");
    if (!field || !control.name || field.contains(event.relatedTarget) || !this.edited.has(nameOf(control))) return;
    this.done.add(nameOf(control));
    this.later(0);
    if (control.dataset.asks !== undefined) this.ask(control);
  }

  // What only somebody outside knows is asked when the field is left, and again at Continue.
  async ask(control) {
    const [pointer, value] = [nameOf(control), control.value];
    if (!value.trim() || this.heard.get(pointer)?.value === value) return;
    const body = new URLSearchParams([...entriesOf(this.form), ["_field", pointer]]);
    try {
      const answer = await fetch(`${this.form.action}/check`, { method: "POST", body, headers: headers(this.page) });
      if (!answer.ok) return;
      const sentence = (await answer.json()).problems[pointer] || "";
      this.heard.set(pointer, { value, sentence });
      const line = this.form.querySelector(`[data-problem="${CSS.escape(pointer)}"]`);
      if (sentence && line && this.page.draft === this && control.value === value) mark(line, sentence);
    } catch { /* Continue asks again */ }
  }

  later(milliseconds) {
    this.dirty = true;
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.save(), milliseconds);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  resume() {
    this.stopped = false;
    this.later(3000);
  }

  /** What is on its way has come; a connection that hangs holds nobody back for long. */
  settled() {
    return Promise.race([this.request?.catch(() => {}), pause(3000)]);
  }

  async save(leaving = false) {
    if (!this.dirty || this.stopped || (this.sending && !leaving)) return;
    clearTimeout(this.timer);
    this.dirty = false;
    this.sending = true;
    try {
      this.request = ask(this.url, { method: "POST", body: this.body(), headers: headers(this.page), keepalive: leaving });
      const answer = await this.request;
      if (answer.status === 401 || answer.status === 409) return this.over();
      // The same again would be refused again; what is typed next is tried.
      if (answer.status === 400 || answer.status === 413) return this.tell("large");
      if (!answer.ok) throw new Error(answer.status);
      const said = JSON.parse(answer.text);
      // What moves between a press and its release takes the click away.
      for (let round = 0; this.page.pressed && round < 200; round += 1) await pause(50);
      this.shown(said);
      // What was typed meanwhile is not there yet.
      if (!this.dirty) this.tell("saved");
      reached(this.form);
    } catch {
      this.tell("unsaved", again(this.page, () => this.save()));
      this.later(4000);
    } finally {
      this.sending = false;
      if (this.dirty) this.later(600);
    }
  }

  // Only what was typed here: another tab may have kept more of the same form since.
  body() {
    const edited = new Set([...this.edited].map(topOf));
    const entries = entriesOf(this.form).filter(([name]) => name === "_token" || edited.has(topOf(name)));
    return new URLSearchParams(entries);
  }

  // The step was sent in another tab, or the browser is out: nobody should type on into nothing.
  over() {
    const told = say(this.page, "moved");
    const late = this.typedHere();
    if (!this.stopped && this.page.draft === this)
      load(this.page).then(() => tellOf(this.page, told) && keepLate(this.page, late));
    this.stop();
  }

  // The summary lists what is still to be done. Once a field that it names is not asked for any more, the form has
  // become another one, and Continue says anew what is wrong with it; each field keeps its own word.
  mended(problems) {
    const summary = summaryOf(this.page);
    if (!summary) return;
    for (const line of summary.querySelectorAll("li[data-about]")) {
      const pointer = line.dataset.about;
      const field = [...this.form.querySelectorAll("[data-problem]")].find((one) => one.dataset.problem === pointer);
      if (field?.closest("[data-source][hidden]")) return summary.remove();
      if (!problems[pointer] && (!field || field.hidden)) line.remove();
    }
    if (!summary.querySelector("li")) summary.remove();
  }

  /** What was typed here, as people read it: `Name: Ada`. */
  typedHere() {
    const found = new Map();
    for (const control of this.form.elements) {
      if (!control.name || !this.edited.has(nameOf(control)) || control.type === "hidden") continue;
      if (control.matches("[type=radio],[type=checkbox]") && !control.checked) continue;
      const field = control.closest(".field");
      const label = field?.querySelector("legend,label")?.textContent.trim() || "";
      const value = control.matches("[type=radio],[type=checkbox]") ? control.labels[0]?.textContent : control.selectedOptions?.[0]?.text || control.value;
      if (value?.trim()) found.set(label, [...(found.get(label) || []), value.trim()]);
    }
    return [...found].map(([label, values]) => `${label}: ${values.join(" ")}`);
  }

  tell(name, ...more) {
    this.status?.replaceChildren(name && say(this.page, name), ...more);
  }

  shown({ hidden, problems }) {
    if (this.page.draft !== this) return;
    for (const part of this.form.querySelectorAll("[data-source]")) {
      part.hidden = part.disabled = hidden.includes(part.dataset.source);
    }
    for (const line of this.form.querySelectorAll("[data-problem]")) {
      const pointer = line.dataset.problem;
      const heard = this.heard.get(pointer);
      const told = heard && this.form.elements[pointer]?.value === heard.value ? heard.sentence : "";
      const sentence = problems[pointer] || told;
      if (!sentence) mark(line, "");
      else if (!line.hidden || this.done.has(pointer)) mark(line, sentence);
    }
    this.mended(problems);
  }
}

const summaryOf = (page) => screenOf(page).querySelector("#problems");
const nameOf = (control) => control.name.split("#")[0];
// Values are kept by the form's own fields, lists and groups as a whole: `/owners` of `/owners/0/name`.
const topOf = (name) => name.split("#")[0].split("/")[1];

function mark(line, sentence) {
  const id = line.id.replace(/-problem$/, "");
  const target = line.ownerDocument.getElementById(id);
  const field = line.closest(".field");
  line.hidden = !sentence;
  line.lastElementChild.textContent = sentence;
  field.classList.toggle("wrong", Boolean(sentence));
  if (!target) return;
  const ids = new Set((target.getAttribute("aria-describedby") || "").split(" ").filter(Boolean));
  if (sentence) ids.add(line.id);
  else ids.delete(line.id);
  if (ids.size) target.setAttribute("aria-describedby", [...ids].join(" "));
  else target.removeAttribute("aria-describedby");
  const controls = target.matches("fieldset") ? (field.matches(".date") ? wrongParts(target) : []) : [target];
  if (target.matches(".date")) for (const part of target.querySelectorAll("input")) part.removeAttribute("aria-invalid");
  for (const control of controls) {
    if (sentence) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

// Of a date with a part left out it is that part which is to be mended.
function wrongParts(date) {
  const parts = [...date.querySelectorAll("input")];
  const blank = parts.filter((part) => !part.value.trim());
  return blank.length && blank.length < parts.length ? blank : parts;
}

// Long lists

let lists = 0;

/** A list of which somebody types a part: the select stays, holds the value and is what browsers fill in. */
function searched(select) {
  const say = select.dataset;
  const id = `list-${(lists += 1)}`;
  const options = [...select.options];
  const wrap = document.createElement("div");
  wrap.className = "search";
  wrap.innerHTML = `<input class="input" type="text" role="combobox" aria-autocomplete="list" aria-expanded="false" autocomplete="off" autocapitalize="none" spellcheck="false" dir="auto"><ul role="listbox" id="${id}" hidden></ul><span class="unseen" id="${id}-help"></span><span class="unseen" role="status"></span>`;
  const [input, list, help, status] = wrap.children;
  help.textContent = say.search;
  input.placeholder = options[0].textContent;
  input.setAttribute("aria-controls", id);
  input.setAttribute("aria-describedby", [select.getAttribute("aria-describedby"), help.id].filter(Boolean).join(" "));
  for (const name of ["aria-label", "aria-invalid"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  if (select.id) [input.id, select.id] = [select.id, `${select.id}-value`];
  const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`)?.textContent.trim();
  list.setAttribute("aria-label", select.getAttribute("aria-label") || label || say.search);
  select.className = "unseen";
  select.tabIndex = -1;
  select.setAttribute("aria-hidden", "true");
  select.after(wrap);
  const shown = () => (input.value = select.value ? select.selectedOptions[0].textContent : "");
  const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  let [active, touched] = [-1, false];

  function open(all) {
    const wanted = all ? "" : folded(input.value.trim());
    const fits = options.slice(1).filter((one) => folded(one.textContent).includes(wanted));
    fits.sort((one, other) => !folded(one.textContent).startsWith(wanted) - !folded(other.textContent).startsWith(wanted));
    list.replaceChildren(...fits.map((one, number) => {
      const item = document.createElement("li");
      item.id = `${id}-${number}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(one.selected));
      item.dataset.value = one.value;
      item.textContent = one.textContent;
      return item;
    }));
    list.hidden = !fits.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = fits.length ? say.sayFound.replace("%", fits.length) : say.sayNone;
    move(all ? [...list.children].findIndex((item) => item.getAttribute("aria-selected") === "true") : wanted && fits.length ? 0 : -1);
  }

  function move(to) {
    list.children[active]?.classList.remove("active");
    active = to;
    const item = list.children[active];
    item?.classList.add("active");
    item?.scrollIntoView({ block: "nearest" });
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    list.hidden = true;
    touched = false;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    status.textContent = "";
  }

  function choose(value) {
    const changed = select.value !== value;
    select.value = value;
    shown();
    close();
    if (changed) select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  input.addEventListener("click", () => list.hidden && (input.select(), open(true)));
  input.addEventListener("input", () => ((touched = true), open(false)));
  input.addEventListener("keydown", (event) => {
    const closed = list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (closed) return open(!touched);
      const last = list.children.length - 1;
      const next = event.key === "ArrowDown" ? active + 1 : active - 1;
      move(next > last ? 0 : next < 0 ? last : next);
    } else if (event.key === "Enter" && !closed) {
      event.preventDefault();
      if (list.children[active]) choose(list.children[active].dataset.value);
    } else if (event.key === "Escape" && !closed) {
      event.preventDefault();
      shown();
      close();
    }
  });
  input.addEventListener("blur", () => {
    const typed = folded(input.value.trim());
    const same = options.find((one, number) => number && folded(one.textContent) === typed);
    const only = touched && list.children.length === 1 ? list.children[0].dataset.value : null;
    if (!typed) choose("");
    else if (same || only) choose(same ? same.value : only);
    else shown(), close();
  });
  // A press on the list must not take the focus, and with it the list, away.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) choose(item.dataset.value);
  });
  select.addEventListener("change", shown);
  shown();
}

// A frame's session travels in a header, which a link does not send.
async function save(page, link) {
  try {
    const answer = await fetch(link.href, { headers: headers(page) });
    if (!answer.ok) return;
    const made = document.createElement("a");
    made.href = URL.createObjectURL(await answer.blob());
    made.download = link.download || `${screenOf(page).querySelector("#title").textContent}.html`;
    made.click();
    URL.revokeObjectURL(made.href);
  } catch { /* the button is still there */ }
}

// Files

function prepareUploads(page, place) {
  const form = place.querySelector("[data-upload]");
  const list = place.querySelector("[data-sending]");
  for (const line of page.failed) if (line.dataset.of === place.dataset.document) list.append(line);
  list.hidden = !list.children.length;
  for (const part of place.querySelectorAll("[data-replace]")) part.hidden = false;
  for (const input of place.querySelectorAll("input[type=file]"))
    input.addEventListener("change", () => sendFiles(page, place, input));
  if (!form) return;
  if (matchMedia("(pointer: coarse)").matches)
    for (const part of form.querySelectorAll("[data-camera]")) part.hidden = false;
  else form.querySelector("[data-can-drop]").hidden = false;
}

function dropped(page, event) {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  const all = [...page.root.querySelectorAll("[data-upload]")];
  const form = event.target.closest?.("[data-document]")?.querySelector("[data-upload]") || (all.length === 1 ? all[0] : null);
  for (const one of all) one.classList.toggle("over", one === form && event.type === "dragover");
  if (event.type === "drop" && form) sendAll(page, form.closest("[data-document]"), event.dataTransfer.files);
}

// A frame's session travels in a header, which pictures do not send.
async function showPicture(page, picture) {
  try {
    const answer = await fetch(picture.dataset.src, { headers: headers(page) });
    if (!answer.ok) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => (picture.src = reader.result));
    reader.readAsDataURL(await answer.blob());
  } catch { /* its name stands beside it */ }
}

function sendFiles(page, place, input) {
  const files = [...input.files];
  input.value = "";
  sendAll(page, place, files, input.dataset.replaces);
}

const sendAll = (page, place, files, replaces) => underWay(page, sendEach(page, place, files, replaces));
const underWay = (page, sending) => (page.sending = Promise.all([page.sending, sending]));

async function allSent(page) {
  const broken = page.failed.length;
  for (let seen = null; seen !== page.sending; ) await (seen = page.sending);
  if (page.failed.length <= broken) return true;
  page.failed.at(-1).scrollIntoView({ block: "center" });
  return false;
}

async function sendEach(page, place, files, replaces = "") {
  const rows = [...files].map((file) => row(page, place, file, replaces));
  // One after the other: on a phone's connection each of several at once would take as long as all.
  for (const sendRow of rows) await sendRow();
  page.html = null;
  await load(page);
}

/** A line that says how far a file is; what it returns sends the file. */
function row(page, place, file, replaces) {
  const list = place.querySelector("[data-sending]");
  const template = screenOf(page).querySelector("[data-sending-item]");
  const line = template.content.firstElementChild.cloneNode(true);
  const token = screenOf(page).querySelector("[name=_token]").value;
  const to = { file, token, replaces, place: { ...place.dataset }, say: { ...template.dataset } };
  line.dataset.of = place.dataset.document;
  line.querySelector("strong").textContent = file.name;
  const forget = () => {
    page.failed = page.failed.filter((one) => one !== line);
  };
  line.querySelector("[data-retry]").addEventListener("click", () => {
    forget();
    underWay(page, send(page, line, to).then(() => ((page.html = null), load(page))));
  });
  line.querySelector("[data-drop]").addEventListener("click", () => {
    const around = line.parentElement;
    forget();
    line.remove();
    around.hidden = !around.children.length;
  });
  list.append(line);
  list.hidden = false;
  return () => send(page, line, to);
}

function send(page, line, { file, token, replaces, place, say }) {
  const [bar, text] = [line.querySelector("progress"), line.querySelector("small")];
  const [again, away] = [line.querySelector("[data-retry]"), line.querySelector("[data-drop]")];
  line.classList.remove("failed");
  bar.hidden = false;
  bar.value = 0;
  again.hidden = away.hidden = true;
  return new Promise((done) => {
    let timer = 0;
    const fail = (sentence, retries) => {
      clearTimeout(timer);
      if (line.classList.contains("failed")) return;
      line.classList.add("failed");
      text.textContent = sentence;
      bar.hidden = true;
      again.hidden = !retries;
      away.hidden = false;
      page.failed.push(line);
      done(false);
    };
    if (file.size > Number(place.maxSize)) return fail(place.sayLarge, false);
    const request = new XMLHttpRequest();
    const moves = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        fail(say.sayStalled, true);
        request.abort();
      }, PATIENCE);
    };
    request.open("PUT", place.at + (replaces ? `&replaces=${replaces}` : ""));
    const more = { "X-File-Name": encodeURIComponent(file.name), "X-Passerelle-Token": token, "Content-Type": "application/octet-stream" };
    for (const [name, value] of Object.entries(headers(page, more))) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      moves();
      const percent = Math.round((100 * event.loaded) / Math.max(event.total, 1));
      bar.value = percent;
      text.textContent = percent < 100 ? say.saySending.replace("% %", `${percent} %`) : say.sayLooking;
    });
    request.addEventListener("error", () => fail(say.sayBroken, true));
    request.addEventListener("load", () => {
      clearTimeout(timer);
      if (request.status < 300) {
        line.remove();
        return done(true);
      }
      let problem = null;
      try { problem = JSON.parse(request.responseText).problem; } catch { /* a proxy's page */ }
      fail(problem || say.sayBroken, !problem || request.status === 429 || request.status >= 500);
    });
    moves();
    request.send(file);
  });
}
