// The end user's screens. Everything works without this file; with it, nothing that was typed can be lost, pages
// change without a reload, and files show how far they are. It holds no rules: what is right, visible or next, the
// server says. The widget's frame uses it too, with a session that it sends in a header.

/** Let the screen inside `root` come alive.
 *
 *  session   the frame's own credential, where no cookie can be kept
 *  url       where the screens are: `/x/<execution>`; the page's own address without it
 *  language  the first screen's; the execution's, else the browser's, without it
 *  focus     whether the first screen takes the focus, which is rude inside of another page
 *  history   whether the browser's Back leads to the step before
 *  onScreen  called with {kind, step, status, end, code, title} for every screen that is shown
 *  Returns {load, flush, unsaved}.
 */
export function mount(root, { session, url = location.pathname, language = null, focus = true, history: keeps = false, onScreen = () => {} } = {}) {
  const page = { root, session, url, language, focus, keeps, onScreen, round: 0, depth: depthOf(history.state), busy: false, pressed: false, failed: [], sending: null, draft: null };
  document.documentElement.classList.add("scripted");
  root.addEventListener("submit", (event) => submitted(page, event));
  root.addEventListener("click", (event) => clicked(page, event));
  root.addEventListener("input", (event) => page.draft?.typed(event.target));
  root.addEventListener("change", (event) => page.draft?.typed(event.target, true));
  root.addEventListener("focusout", (event) => page.draft?.left(event));
  root.addEventListener("pointerdown", () => (page.pressed = true));
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(() => (page.pressed = false)));
  addEventListener("online", () => {
    page.draft?.save();
    for (const line of [...page.failed]) line.querySelector("[data-retry]:not([hidden])")?.click();
  });
  for (const [target, name] of [[window, "pagehide"], [document, "visibilitychange"]])
    target.addEventListener(name, () => document.visibilityState !== "visible" && page.draft?.save(true));
  addEventListener("pageshow", (event) => event.persisted && load(page));
  if (keeps) addEventListener("popstate", (event) => moved(page, depthOf(event.state)));
  if (page.root.querySelector("#screen")) enliven(page);
  return { load: () => load(page), flush: () => page.draft?.save(true), unsaved: () => Boolean(page.draft?.dirty) };
}

/** The start page: a challenge is fetched when a person does something, and sent with the form. */
export function begin(form) {
  let asked = null;
  let since = 0;
  const ask = (event) => {
    // A challenge is good for ten minutes: whoever read for longer gets another.
    if (event.isTrusted && (!asked || Date.now() - since > 300000)) {
      since = Date.now();
      asked = fetch(form.dataset.start, { method: "POST", headers: { "X-Passerelle-Fragment": "1" } })
        .then((answer) => (answer.ok ? answer.json() : {}))
        .then((body) => body.challenge || "");
      asked.catch(() => (asked = null));
    }
  };
  for (const name of ["pointerdown", "keydown", "touchstart", "click"]) addEventListener(name, ask, { passive: true });
  form.addEventListener("submit", async (event) => {
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
  });
}

const screenOf = (page) => page.root.querySelector("#screen");
const say = (page, name) => screenOf(page).getAttribute(`data-say-${name}`);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function headers(page, more = {}) {
  const found = { "X-Passerelle-Fragment": "1", ...more };
  if (page.session) found["X-Passerelle-Session"] = page.session;
  const language = page.language || screenOf(page)?.lang;
  if (language) found["X-Passerelle-Language"] = language;
  return found;
}

// Screens

async function load(page) {
  try {
    const answer = await fetch(page.url, { headers: headers(page), cache: "no-store" });
    await show(page, answer);
    return true;
  } catch {
    return false;
  }
}

async function show(page, answer, { pushes = false } = {}) {
  if (!(answer.headers.get("content-type") || "").startsWith("text/html")) throw new Error("no page");
  const html = await answer.text();
  if (html === page.html) return;
  const before = screenOf(page)?.dataset.step;
  page.html = html;
  const holder = document.createElement("div");
  holder.innerHTML = html;
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
  const uploads = screen.querySelector("[data-sending]");
  if (uploads) prepareUploads(page, screen, uploads);
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
}

// Word of changes: a stream where it gets through, looking again where it does not.
async function wait(page, url, round) {
  for (let rest = 1000; page.round === round; rest = Math.min(rest * 1.5, 10000)) {
    try {
      const answer = await fetch(url, { headers: headers(page), cache: "no-store" });
      if (answer.ok) {
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let text = "", part; page.round === round && !(part = await reader.read()).done; ) {
          text += part.value;
          if (text.includes("event: screen")) break;
        }
        reader.cancel();
      }
    } catch { /* the loop looks again */ }
    if (page.round === round) await load(page);
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
  try {
    // A file that is still on its way belongs to what is sent; if it breaks, its owner has to know first.
    if (!button?.name && !(await allSent(page))) return;
    const answer = await fetch(form.action, { method: "POST", body, headers: headers(page), signal: AbortSignal.timeout(60000) });
    page.html = null;
    // Nobody gets another page in the place of what they typed.
    if (answer.status === 413) lost(page, form, "large");
    else await show(page, answer, { pushes: button?.value !== "back" });
  } catch {
    lost(page, form, "offline");
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

function lost(page, form, why) {
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.dataset.lost = "";
  notice.textContent = say(page, why);
  form.querySelector(".actions").before(notice);
  page.draft?.resume();
}

function tellOf(page, sentence) {
  const title = screenOf(page).matches("[data-step]") && screenOf(page).querySelector("#title");
  if (!title) return;
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "status");
  title.before(notice);
  notice.textContent = sentence;
}

const reached = (form) => form.querySelector("[data-lost]")?.remove();

function clicked(page, event) {
  const link = event.target.closest("a");
  if (!link) return;
  if (link.matches("[data-refresh]")) {
    event.preventDefault();
    load(page);
  } else if (link.closest(".tongue") && page.session) {
    event.preventDefault();
    page.language = link.hreflang;
    load(page);
  } else if (link.closest(".summary, .skip")) {
    const target = screenOf(page).querySelector(`[id="${CSS.escape(link.hash.slice(1))}"]`);
    if (target) {
      event.preventDefault();
      (target.closest(".field, main") || target).scrollIntoView({ block: "start" });
      target.focus({ preventScroll: true });
    }
  }
}

/** Keeps a form's values on the server while somebody types, and shows what the server says to them. */
class Draft {
  constructor(page, form) {
    Object.assign(this, { page, form, dirty: false, stopped: false, sending: false, timer: 0, request: null, edited: new Set(), done: new Set() });
    this.url = `${form.action}/draft`;
    this.status = form.querySelector("[data-status]");
  }

  typed(control, soon = false) {
    if (!control.name || control.form !== this.form || control.type === "file") return;
    this.edited.add(nameOf(control));
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
      this.request = fetch(this.url, { method: "POST", body: this.body(), headers: headers(this.page), keepalive: leaving });
      const answer = await this.request;
      if (answer.status === 401 || answer.status === 409) return this.over();
      // The same again would be refused again; what is typed next is tried.
      if (answer.status === 400 || answer.status === 413) return this.tell("large");
      if (!answer.ok) throw new Error(answer.status);
      const said = await answer.json();
      // What moves between a press and its release takes the click away.
      for (let round = 0; this.page.pressed && round < 200; round += 1) await pause(50);
      this.shown(said);
      this.tell("saved");
      reached(this.form);
    } catch {
      this.tell("unsaved");
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
    if (!this.stopped && this.page.draft === this) load(this.page).then(() => tellOf(this.page, told));
    this.stop();
  }

  tell(name) {
    if (this.status) this.status.textContent = say(this.page, name);
  }

  shown({ hidden, problems }) {
    if (this.page.draft !== this) return;
    for (const part of this.form.querySelectorAll("[data-source]")) {
      part.hidden = part.disabled = hidden.includes(part.dataset.source);
    }
    for (const line of this.form.querySelectorAll("[data-problem]")) {
      const pointer = line.dataset.problem;
      const sentence = problems[pointer];
      if (!sentence) mark(line, "");
      else if (!line.hidden || this.done.has(pointer)) mark(line, sentence);
    }
  }
}

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
  const controls = target.matches("fieldset") ? (field.matches(".date") ? target.querySelectorAll("input") : []) : [target];
  for (const control of controls) {
    if (sentence) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

// Files

function prepareUploads(page, screen, list) {
  const form = screen.querySelector("[data-upload]");
  for (const row of page.failed) list.append(row);
  list.hidden = !list.children.length;
  if (!form) return;
  if (matchMedia("(pointer: coarse)").matches)
    for (const part of form.querySelectorAll("[data-camera]")) part.hidden = false;
  else form.querySelector("[data-can-drop]").hidden = false;
  for (const input of form.querySelectorAll("input[type=file]"))
    input.addEventListener("change", () => sendFiles(page, form, input));
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]])
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", over);
      if (name === "drop") sendAll(page, form, event.dataTransfer.files);
    });
}

function sendFiles(page, form, input) {
  const files = [...input.files];
  input.value = "";
  sendAll(page, form, files);
}

const sendAll = (page, form, files) => underWay(page, sendEach(page, form, files));
const underWay = (page, sending) => (page.sending = Promise.all([page.sending, sending]));

async function allSent(page) {
  const broken = page.failed.length;
  for (let seen = null; seen !== page.sending; ) await (seen = page.sending);
  return page.failed.length <= broken;
}

async function sendEach(page, form, files) {
  const list = screenOf(page).querySelector("[data-sending]");
  const rows = [...files].map((file) => [file, row(page, form, list, file)]);
  // One after the other: on a phone's connection each of several at once would take as long as all.
  for (const [file, line] of rows) await send(page, form, file, line);
  page.html = null;
  await load(page);
}

function row(page, form, list, file) {
  const template = screenOf(page).querySelector("[data-sending-item]");
  const line = template.content.firstElementChild.cloneNode(true);
  line.querySelector("strong").textContent = file.name;
  const again = async () => {
    page.failed = page.failed.filter((one) => one !== line);
    await send(page, form, file, line);
    page.html = null;
    await load(page);
  };
  line.querySelector("[data-retry]").addEventListener("click", () => underWay(page, again()));
  line.querySelector("[data-drop]").addEventListener("click", () => {
    page.failed = page.failed.filter((one) => one !== line);
    line.remove();
    list.hidden = !list.children.length;
  });
  list.append(line);
  list.hidden = false;
  return line;
}

function send(page, form, file, line) {
  const [bar, text] = [line.querySelector("progress"), line.querySelector("small")];
  const [again, away] = [line.querySelector("[data-retry]"), line.querySelector("[data-drop]")];
  const say = form.dataset;
  line.classList.remove("failed");
  bar.hidden = false;
  again.hidden = away.hidden = true;
  return new Promise((done) => {
    const fail = (sentence, retries) => {
      line.classList.add("failed");
      text.textContent = sentence;
      bar.hidden = true;
      again.hidden = !retries;
      away.hidden = false;
      page.failed.push(line);
      done(false);
    };
    if (file.size > Number(say.maxSize)) return fail(say.sayLarge, false);
    const request = new XMLHttpRequest();
    request.open("PUT", form.action);
    const more = { "X-File-Name": encodeURIComponent(file.name), "X-Passerelle-Token": form.elements._token.value, "Content-Type": "application/octet-stream" };
    for (const [name, value] of Object.entries(headers(page, more))) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      const percent = Math.round((100 * event.loaded) / Math.max(event.total, 1));
      bar.value = percent;
      text.textContent = say.saySending.replace("% %", `${percent} %`);
    });
    request.addEventListener("error", () => fail(say.sayBroken, true));
    request.addEventListener("timeout", () => fail(say.sayBroken, true));
    request.addEventListener("load", () => {
      if (request.status < 300) {
        line.remove();
        return done(true);
      }
      let problem = null;
      try { problem = JSON.parse(request.responseText).problem; } catch { /* a proxy's page */ }
      fail(problem || say.sayBroken, !problem || request.status === 429);
    });
    request.send(file);
  });
}
