/* Passerelle's widget: shows an onboarding in your page. One script tag, no dependencies; see docs/guides/widget.md.
 *
 * The end user's page runs in a frame of the origin that this script came from. Both sides say only what the other
 * has to know, and listen to nobody else: here by the frame's window and origin, there by ours.
 */
(function (scope, define) {
  const api = define(scope);
  if (typeof module === "object" && module.exports) module.exports = api;
})(typeof window === "undefined" ? globalThis : window, function (window) {
  "use strict";
  const { document } = window;
  // A server that renders a page loads this file too: there is nothing to show there.
  if (!document) return {};
  /** Tells the page that the widget can be used. */
  function ready() {
    for (const name of ["transactionlink_ready", "passerelle_ready"])
      if (typeof window[name] === "function") window[name]();
  }

  // Both names of the script on one page, or one that a page's router loads again: the first stays, and whoever
  // loaded it now is told all the same.
  if (window.passerelle && window.passerelle.setContext) {
    setTimeout(ready);
    return window.passerelle;
  }

  const NAMES = ["transactionlink-widget", "passerelle-widget"];
  const CALLBACKS = ["onOpen", "onReady", "onStep", "onComplete", "onClose", "onError"];
  const OPTIONS = ["token", "inline", "autoHeight", "locale", ...CALLBACKS];
  const EVENTS = { open: "widget-opened", close: "widget-closed", error: "error", complete: "workflow-finished" };
  const PATIENCE = 20000; // milliseconds until a frame that says nothing counts as refused
  const source = document.currentScript && document.currentScript.src;

  const STYLE = `
    :host { display: block; }
    :host([hidden]) { display: none; }
    iframe { display: block; width: 100%; border: 0; background: transparent; color-scheme: auto; }
    .place iframe { height: 100%; min-height: 36rem; }
    .place.grows iframe { min-height: 12rem; }
    dialog { width: min(44rem, calc(100vw - 3rem)); height: min(54rem, calc(100vh - 3rem)); height: min(54rem, calc(100dvh - 3rem));
      max-width: none; max-height: none; padding: 0; border: 0; border-radius: 1.25rem; overflow: hidden; background: Canvas;
      color: CanvasText; color-scheme: light dark; box-shadow: 0 1.5rem 5rem rgb(0 0 0 / 35%); }
    dialog::backdrop { background: rgb(10 12 18 / 55%); }
    dialog iframe { height: 100%; }
    button { position: absolute; top: .75rem; right: .75rem; z-index: 1; width: 2.75rem; height: 2.75rem; padding: 0; border: 0;
      border-radius: 50%; background: Canvas; color: CanvasText; font: 1.625rem/1 system-ui, sans-serif; cursor: pointer; }
    button:hover { background: color-mix(in srgb, CanvasText 10%, Canvas); }
    button:focus-visible { outline: .1875rem solid Highlight; outline-offset: .125rem; }
    @media (max-width: 40rem), (max-height: 30rem) {
      dialog { width: 100vw; height: 100vh; height: 100dvh; border-radius: 0; }
    }`;

  const WORDS = {
    en: ["Close", "Onboarding"], pl: ["Zamknij", "Formularz"], de: ["Schließen", "Formular"], fr: ["Fermer", "Formulaire"],
    es: ["Cerrar", "Formulario"], it: ["Chiudi", "Modulo"], uk: ["Закрити", "Форма"], cs: ["Zavřít", "Formulář"],
    ro: ["Închideți", "Formular"], ar: ["إغلاق", "نموذج"],
  };

  /** One place in the page: an element that the end user's page is shown in, or beside as a modal. */
  class Widget {
    constructor(element) {
      this.element = element;
      this.options = {};
      this.frame = null;
      this.root = element.shadowRoot || element.attachShadow({ mode: "open" });
      this.root.adoptedStyleSheets = [sheet()];
      this.hear = (event) => this.heard(event);
      this.show();
    }

    /** Puts `parts` into the element. What the page wrote inside it stays in sight: the parser puts all that follows
     * `<transactionlink-widget />` inside, since HTML knows no such short form. */
    show(...parts) {
      this.root.replaceChildren(...parts, document.createElement("slot"));
    }

    /** What was set, over what stands on the element. */
    get(name) {
      if (name in this.options) return this.options[name];
      const attribute = name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
      const { element } = this;
      const value = element.getAttribute(attribute) ?? element.getAttribute("data-" + attribute);
      return name === "inline" || name === "autoHeight" ? value !== null && value !== "false" : value;
    }

    set(options) {
      const before = this.token();
      for (const name of Object.keys(options)) {
        if (OPTIONS.includes(name)) this.options[name] = options[name];
        else console.warn(`passerelle: there is no option ${name}; the options are ${OPTIONS.join(", ")}`);
      }
      this.changed(before);
    }

    /** Shows another execution where another token was given; an inline one at once. */
    changed(before) {
      const [token, shown] = [this.token(), this.shown()];
      if (token !== before && this.frame) this.remove();
      if (token && (this.get("inline") || shown)) this.open();
    }

    token() {
      return this.get("token") || null;
    }

    shown() {
      return Boolean(this.frame && (this.dialog ? this.dialog.open : true));
    }

    open() {
      if (this.shown()) return;
      if (!this.token()) return this.fail("TOKEN_REQUIRED", "give the widget a token first: setOptions({token}) or setContext(token)");
      if (!this.frame && !this.build()) return;
      if (this.dialog) this.cover();
      this.tell("onOpen", {});
    }

    /** Shows the modal over the page. */
    cover() {
      this.scrolled = document.documentElement.style.overflow;
      document.documentElement.style.overflow = "hidden";
      // The browser keeps the focus inside, and gives it back at the end.
      this.dialog.showModal();
      if (this.greeted) this.say({ type: "focus" });
    }

    close() {
      if (!this.shown()) return;
      if (this.dialog) this.dialog.close();
      else this.closed();
    }

    /** After the end, whoever asked for it. A modal's frame stays, so that opening it again goes on where it was. */
    closed() {
      if (this.dialog) document.documentElement.style.overflow = this.scrolled;
      else this.remove();
      if (this.ended) this.remove();
      this.tell("onClose", {});
    }

    build() {
      const claims = claimsOf(this.token());
      if (!claims) {
        this.fail("WIDGET_TOKEN_INVALID", "this is no token: get one from your server, which gets it with `POST /token`");
        return false;
      }
      const base = folderOf(source) || folderOf(`${claims.iss}/`) || window.location.origin;
      this.origin = new URL(base).origin;
      this.frame = document.createElement("iframe");
      this.frame.title = this.words()[1];
      this.frame.src = `${base}/w/${encodeURIComponent(claims.workspaceId)}`;
      this.ended = this.greeted = false;
      window.addEventListener("message", this.hear);
      this.silence = setTimeout(() => this.refuse(), PATIENCE);
      this.frame.addEventListener("load", () => {
        clearTimeout(this.silence);
        if (!this.greeted) this.silence = setTimeout(() => this.refuse(), 3000);
      });
      this.show(this.get("inline") ? this.place() : this.modal());
      return true;
    }

    place() {
      const place = document.createElement("div");
      place.className = this.get("autoHeight") ? "place grows" : "place";
      place.style.height = this.get("autoHeight") ? "" : "100%";
      place.append(this.frame);
      this.dialog = null;
      return place;
    }

    modal() {
      const dialog = (this.dialog = document.createElement("dialog"));
      dialog.setAttribute("aria-label", this.frame.title);
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", this.words()[0]);
      button.addEventListener("click", () => this.leave());
      dialog.append(this.frame, button);
      // One that another took the place of has nothing to say any more.
      dialog.addEventListener("close", () => this.dialog === dialog && this.closed());
      // Escape: the frame knows whether something would be lost, and asks. `cancel` is Android's back gesture.
      for (const name of ["keydown", "cancel"])
        dialog.addEventListener(name, (event) => {
          if (name === "keydown" && event.key !== "Escape") return;
          event.preventDefault();
          this.leave();
        });
      return dialog;
    }

    leave() {
      if (this.greeted) this.say({ type: "leave" });
      else this.close();
    }

    remove() {
      clearTimeout(this.silence);
      window.removeEventListener("message", this.hear);
      if (this.dialog && this.dialog.open) document.documentElement.style.overflow = this.scrolled;
      this.frame = this.dialog = null;
      this.show();
    }

    heard(event) {
      if (!this.frame || event.source !== this.frame.contentWindow || event.origin !== this.origin) return;
      const said = event.data;
      if (said && said.passerelle === 1 && Object.hasOwn(ANSWERS, said.type)) ANSWERS[said.type](this, said);
    }

    greet() {
      this.greeted = true;
      clearTimeout(this.silence);
      // From outside the focus gets no further than to the frame; the frame puts it where its screen begins.
      if (this.dialog) this.frame.focus();
      this.say({
        type: "open",
        token: this.token(),
        locale: this.get("locale"),
        modal: Boolean(this.dialog),
        autoHeight: Boolean(!this.dialog && this.get("autoHeight")),
      });
    }

    say(message) {
      this.frame.contentWindow.postMessage({ passerelle: 1, ...message }, this.origin);
    }

    stepped({ step, kind, title, first }) {
      if (title) this.frame.title = title;
      if (!this.dialog && !first && this.element.getBoundingClientRect().top < 0) this.element.scrollIntoView();
      this.tell("onStep", { step, kind, title });
    }

    refuse() {
      this.fail("FRAME_REFUSED", `${this.origin} does not let ${window.location.origin} show it: add it to the theme's allowedOrigins`);
    }

    fail(code, message) {
      this.tell("onError", { code, message }) || console.error(`passerelle: ${code}: ${message}`);
    }

    /** Calls back, and lets those hear who listen to the element. Returns whether anybody could hear. */
    tell(name, detail) {
      const type = name.slice(2).toLowerCase();
      const event = new CustomEvent(`passerelle:${type}`, { detail, bubbles: true, composed: true });
      this.element.dispatchEvent(event);
      const callbacks = [this.options[name], ...(handlers.get(EVENTS[type]) ?? [])].filter((one) => typeof one === "function");
      for (const callback of callbacks)
        try {
          callback(detail);
        } catch (error) {
          // One's own mistake must not stop the page, nor be hidden.
          setTimeout(() => { throw error; });
        }
      return callbacks.length > 0;
    }

    words() {
      const language = String(this.get("locale") || document.documentElement.lang || window.navigator.language);
      return WORDS[language.slice(0, 2).toLowerCase()] || WORDS.en;
    }
  }

  /** What a frame may say, by type. */
  const ANSWERS = {
    hello: (widget) => widget.greet(),
    ready: (widget, said) => widget.tell("onReady", { workflowId: said.workflowId }),
    step: (widget, said) => widget.stepped(said),
    complete: (widget, said) => {
      widget.ended = true;
      widget.tell("onComplete", { workflowId: said.workflowId, status: said.status });
    },
    error: (widget, said) => widget.fail(said.code, said.message),
    close: (widget) => widget.close(),
    // Where a frame is as high as its screen, only the page around can scroll to what is new there.
    news: (widget, said) => {
      if (widget.dialog || !Number.isFinite(said.top)) return;
      const top = widget.frame.getBoundingClientRect().top + said.top;
      if (top < 0 || top > window.innerHeight - 96) window.scrollBy({ top: top - 24, behavior: "instant" });
    },
    height: (widget, said) => {
      if (!widget.dialog && widget.get("autoHeight")) widget.frame.style.height = `${Math.ceil(said.height)}px`;
    },
  };

  let style = null;
  function sheet() {
    if (!style) {
      style = new CSSStyleSheet();
      style.replaceSync(STYLE);
    }
    return style;
  }

  function claimsOf(token) {
    try {
      const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const claims = JSON.parse(window.atob(part));
      return typeof claims.workspaceId === "string" ? claims : null;
    } catch {
      return null;
    }
  }

  // Where Passerelle is: its address may have a path.
  function folderOf(address) {
    try {
      return new URL(".", address).href.slice(0, -1);
    } catch {
      return null;
    }
  }

  // Elements: those of our names, and any with such an id, whenever they come and go.

  const widgets = new Map();
  const handlers = new Map(Object.values(EVENTS).map((name) => [name, new Set()]));
  let shared = {};
  let unmounted = false;

  function adopt(element) {
    if (widgets.has(element)) return;
    const widget = new Widget(element);
    widgets.set(element, widget);
    if (widgets.size === 1) widget.set(shared);
    else widget.changed(null);
  }

  function release(element) {
    const widget = widgets.get(element);
    if (!widget) return;
    widget.remove();
    widgets.delete(element);
  }

  for (const name of NAMES) {
    if (window.customElements.get(name)) continue;
    window.customElements.define(name, class extends HTMLElement {
      static observedAttributes = ["token", "inline", "auto-height", "locale"];
      connectedCallback() {
        unmounted = false;
        adopt(this);
      }
      disconnectedCallback() { release(this); }
      attributeChangedCallback(attribute, before) {
        const widget = widgets.get(this);
        if (widget && !("token" in widget.options)) widget.changed(attribute === "token" ? before : widget.token());
      }
    });
  }

  function look() {
    for (const element of [...widgets.keys()]) if (!element.isConnected) release(element);
    if (unmounted) return;
    for (const name of NAMES) {
      const element = document.getElementById(name);
      if (element && !element.localName.includes("-")) adopt(element);
    }
  }

  /** After `unmountWidget`, whoever uses the widget again means the elements that are still there. */
  function mount() {
    if (!unmounted) return;
    unmounted = false;
    for (const element of document.querySelectorAll(NAMES.join())) adopt(element);
    look();
  }

  function listeners(event) {
    const found = handlers.get(event);
    if (!found) console.warn(`passerelle: there is no event ${event}; the events are ${[...handlers.keys()].join(", ")}`);
    return found;
  }

  /** The widget that the page's own functions are about: the first one; one of our own where there is none. */
  function primary(make) {
    const first = widgets.values().next().value;
    if (first || !make || !document.body) return first;
    document.body.append(Object.assign(document.createElement(NAMES[1]), { ours: true }));
    return widgets.values().next().value;
  }

  const api = {
    setOptions(options) {
      mount();
      shared = { ...shared, ...options };
      const widget = primary(false);
      if (widget) widget.set(options);
    },
    setContext(token) { api.setOptions({ token }); },
    open() {
      mount();
      look();
      const widget = primary(!shared.inline);
      if (widget) widget.open();
    },
    close() {
      const widget = primary(false);
      if (widget) widget.close();
    },
    /** Calls `handler` whenever `event` happens, in whichever widget of the page. */
    on(event, handler) {
      listeners(event)?.add(handler);
      return api;
    },
    /** Without `handler`: all of the event's. */
    off(event, handler) {
      const found = listeners(event);
      if (found && handler === undefined) found.clear();
      else found?.delete(handler);
      return api;
    },
    /** Takes the widget off the page, with all that was set. Handlers stay; the next `setOptions` or `open` begins anew. */
    unmountWidget() {
      unmounted = true;
      shared = {};
      for (const element of [...widgets.keys()]) {
        release(element);
        if (element.ours) element.remove();
      }
    },
  };
  window.passerelle = window.transactionlink = api;

  function loaded() {
    look();
    new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["id"] });
    ready();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", loaded);
  else setTimeout(loaded);
  return api;
});
