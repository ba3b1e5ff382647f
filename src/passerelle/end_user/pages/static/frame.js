// The end user's screens inside the widget's frame, or by themselves in an app's web view. The page around hands over
// a token, never its own user's data; what is typed here it never hears.
import { mount } from "./screen.js";

const framed = window.parent !== window;
const base = new URL("..", import.meta.url).pathname.slice(0, -1); // the path under which Passerelle is, or none
const opening = document.querySelector("[data-opening]");
const look = document.documentElement.classList;
const state = { host: null, given: null, screens: null, workflowId: null, touched: false, over: false, told: "" };

/** To the page around, once it is known; to an app around a web view in the way that its kind has. */
function say(message) {
  const said = { passerelle: 1, ...message };
  if (framed) return state.host && window.parent.postMessage(said, state.host);
  const app = window.ReactNativeWebView || window.webkit?.messageHandlers?.passerelle || window.PasserelleApp;
  if (app) app.postMessage(JSON.stringify(said));
}

function heard(event) {
  const said = event.data;
  if (event.source !== window.parent || !allows(event.origin) || said?.passerelle !== 1) return;
  if (said.type === "open" && !state.host) {
    state.host = event.origin;
    start(said);
  } else if (event.origin !== state.host) return;
  else if (said.type === "leave") leave();
  else if (said.type === "focus") document.querySelector("#title")?.focus();
}

function allows(origin) {
  const fits = (one) => (one.endsWith(":*") ? origin.replace(/:\d+$/, "") === one.slice(0, -2) : origin === one);
  return [location.origin, ...document.body.dataset.origins.split(" ")].some(fits);
}

async function start(given) {
  state.given = given;
  look.toggle("framed", framed);
  look.toggle("modal", Boolean(given.modal));
  look.toggle("grows", Boolean(given.autoHeight));
  if (given.autoHeight) new ResizeObserver(grow).observe(document.body);
  await open();
}

const grow = () => say({ type: "height", height: document.body.getBoundingClientRect().height });

async function open() {
  const { given } = state;
  tell(false);
  try {
    const session = recall(given.token) || (await exchange(given));
    if (!session) return state.screens = mount(document.body, { onScreen: shown });
    state.workflowId = session.workflowId;
    state.screens ||= mount(document.body, {
      session: session.session,
      url: `${base}/x/${session.workflowId}`,
      language: given.locale,
      focus: Boolean(given.modal) || !framed,
      history: !framed,
      onScreen: shown,
      onNews: framed && !given.modal ? (element) => say({ type: "news", top: element.getBoundingClientRect().top }) : null,
    });
    if (!(await state.screens.load())) tell(true);
  } catch {
    tell(true);
  }
}

/** Whether the connection is gone, in the place of the screen that could not come. */
function tell(broken) {
  for (const part of opening.querySelectorAll("[data-now]")) part.hidden = broken;
  for (const part of opening.querySelectorAll("[data-after]")) part.hidden = !broken;
}

/** The token for a session; null after a screen was put in that says why there is none. */
async function exchange({ token, locale }) {
  const headers = { "Content-Type": "application/json", "X-Passerelle-Fragment": "1" };
  if (locale) headers["X-Passerelle-Language"] = locale;
  const answer = await fetch(`${location.pathname}/open`, { method: "POST", body: JSON.stringify({ token }), headers });
  if (answer.ok) return keep(token, await answer.json());
  if (!(answer.headers.get("content-type") || "").startsWith("text/html")) throw new Error(answer.status);
  document.body.insertAdjacentHTML("beforeend", await answer.text());
  return null;
}

// A frame that is moved within its page is loaded anew, and its token is spent by then. The tab's own storage carries
// the session over; where it is refused, a cookie that the browser keeps for our frame on this very site alone.

const nameOf = (token) => `passerelle:${framed ? claimsOf(token).jti : location.pathname}`;

function keep(token, session) {
  try {
    sessionStorage.setItem(nameOf(token), JSON.stringify(session));
  } catch { /* refused */ }
  return session;
}

function recall(token) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(nameOf(token)));
    const same = !token || claimsOf(token).workflowId === kept.workflowId;
    return same && new Date(kept.expiresAt) > new Date() ? kept : null;
  } catch {
    return null;
  }
}

function claimsOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  } catch {
    return {};
  }
}

function shown({ kind, step, status, end, code }) {
  const first = opening.isConnected;
  opening.remove();
  const { workflowId } = state;
  const title = document.querySelector("#title")?.textContent;
  if (first && workflowId) say({ type: "ready", workflowId });
  const told = JSON.stringify([kind, step, title]);
  if (told !== state.told) say({ type: "step", step, kind, title, first });
  state.told = told;
  if (code) say({ type: "error", code, message: REASONS[code] || `the screen could not be shown: ${code}` });
  else if (end || status) finish(status === "COMPLETED" || !ENDED.includes(status), status);
}

function finish(good, status) {
  if (state.over) return;
  state.over = true;
  if (good) say({ type: "complete", workflowId: state.workflowId, status: status === "COMPLETED" ? status : "AWAITING" });
  else say({ type: "error", code: `WORKFLOW_${status}`, message: `the execution is ${status}: there is nothing left to fill in` });
}

const ENDED = ["FAILED", "CANCELLED", "EXPIRED"];
const REASONS = {
  WIDGET_TOKEN_SPENT: "a token opens one widget, once: get another one with `POST /token`",
  WIDGET_TOKEN_EXPIRED: "the token's 60 minutes are over: get another one with `POST /token`",
  WIDGET_TOKEN_INVALID: "this is no token of this server and workspace: get one with `POST /token`",
  NOT_SIGNED_IN: "the execution ended, or was opened somewhere else since: get another token with `POST /token`",
};

// Leaving: asked for by the page around, or by Escape in here.

function leave() {
  if (!state.touched || state.over) return say({ type: "close" });
  const all = [...document.querySelectorAll("[data-leaving]")];
  if (all.some((one) => one.open)) return;
  const words = document.querySelector("#screen")?.dataset.language.split("/")[1];
  const question = all.find((one) => one.lang === words) || all[0];
  question.returnValue = "";
  question.showModal();
  question.onclose = () => {
    if (question.returnValue !== "leave") return;
    state.screens?.flush();
    say({ type: "close" });
  };
}

for (const name of ["input", "drop", "submit"])
  addEventListener(name, (event) => (state.touched ||= !event.target.closest?.("[data-leaving]")), true);
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !state.given?.modal) return;
  if (document.querySelector("[data-leaving][open]")) return; // the browser closes it
  event.preventDefault();
  leave();
});
opening.querySelector("button").addEventListener("click", open);

if (framed) {
  addEventListener("message", heard);
  // Says nothing but that it is there: to whom, it knows once it was answered.
  window.parent.postMessage({ passerelle: 1, type: "hello" }, "*");
} else alone();

/** In a web view: `/w/#token=…`. The fragment is taken out of the address before anything else can see it. */
function alone() {
  const said = new URLSearchParams(location.hash.slice(1));
  const token = said.get("token") || "";
  const { workspaceId } = claimsOf(token);
  const here = `${base}/w/${workspaceId}`;
  if (workspaceId && location.pathname !== here) return location.replace(here + location.hash);
  history.replaceState(null, "", location.pathname);
  addEventListener("hashchange", () => location.reload());
  start({ token, locale: said.get("locale") });
}
