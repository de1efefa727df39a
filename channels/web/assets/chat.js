/* The chat as a custom element, <assistant-chat>, in one file: include it and the chat is on the page.
 *
 *   <script src="https://shop.example/channels/web/chat.js" async></script>
 *
 * On the script tag: data-heading (title of the chat), data-open (opens by itself on wide screens), data-user and
 * data-signature (who is signed in on this page, and its server's hex HMAC-SHA256 of that with the site's secret). A page
 * that writes <assistant-chat> itself, with these as attributes without "data-", decides where it stands in the document;
 * one that signs people in or out without loading anew replaces the element. Any element with data-assistant-say="…" says that in
 * the chat when it is pressed. Colours: --assistant-accent and --assistant-on-accent on the element,
 * each also with -dark at its end.
 *
 * A message is kept, with the id it got, until its answer is here; after a lost connection it is sent again with the same
 * id, and the server answers an id once. So nothing is lost and nothing is doubled.
 */
(() => {
  "use strict";

  const TAG = "assistant-chat";
  if (customElements.get(TAG)) return;

  const SHOP_NAME = "The shop";
  const SIGN_IN = null; // where staff sign in
  const OWN_SCRIPT = document.currentScript;
  const SERVER = new URL(OWN_SCRIPT.src).origin;
  const AT_HOME = location.origin === SERVER; // and not embedded, where our pages would see another session

  const MAX_TEXT_CHARACTERS = 4000;
  const FIRST_RETRY_MS = 500;
  const LAST_RETRY_MS = 20_000;
  const SILENCE_MS = 40_000; // the server is heard from every 15 s
  const WATCH_MS = 5_000;
  const MAX_TRIES = 6; // of one message that the server could not take
  const WIDE = matchMedia("(min-width: 640px)");
  const TOUCH = matchMedia("(pointer: coarse)");
  const RETRIED = new Set(["store_unavailable", "too_many"]);
  const ELSEWHERE = { sms: "by text message", voice: "by phone", alexa: "by smart speaker", wyoming: "by speaker at home" };

  const STYLE = `
    :host {
      --accent: var(--assistant-accent, #1f6b4f);
      --on-accent: var(--assistant-on-accent, #ffffff);
      --head: var(--assistant-accent, #1f6b4f); --on-head: var(--assistant-on-accent, #ffffff);
      --paper: #fffdf9; --ink: #22302a; --soft: #5d6b64; --line: #e3e0d6; --theirs: #f2efe6; --warn: #8a3b12; --warn-paper: #fdf0e4;
      --shadow: 0 1px 2px rgb(30 40 35 / 12%), 0 18px 50px rgb(30 40 35 / 22%);
      position: fixed; inset: auto 0 0 auto; z-index: 2147483000; color-scheme: light dark;
      font: 400 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    }
    @media (prefers-color-scheme: dark) {
      :host {
        --accent: var(--assistant-accent-dark, #6cc7a1);
        --on-accent: var(--assistant-on-accent-dark, #0d1f17);
        --head: var(--assistant-accent-dark, #1d4a39); --on-head: var(--assistant-on-accent-dark, #eef7f1);
        --paper: #17201c; --ink: #e9efe9; --soft: #a3b1a9; --line: #2c3832; --theirs: #232e29; --warn: #ffc79a; --warn-paper: #3a271a;
        --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 18px 50px rgb(0 0 0 / 55%);
      }
    }
    :host([hidden]), [hidden] { display: none !important; }
    *, *::before { box-sizing: border-box; }
    button, textarea { font: inherit; color: inherit; }
    button { cursor: pointer; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

    .launcher {
      position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: max(20px, env(safe-area-inset-bottom));
      display: flex; align-items: center; gap: 10px; min-height: 56px; padding: 0 22px 0 18px; border: 0; border-radius: 28px;
      background: var(--accent); color: var(--on-accent); box-shadow: var(--shadow); font-weight: 600;
      transition: transform .15s ease;
    }
    .launcher:hover { transform: translateY(-2px); }
    .launcher svg { width: 26px; height: 26px; }
    .badge {
      position: absolute; top: -6px; right: -4px; min-width: 24px; height: 24px; padding: 0 6px; border-radius: 12px;
      border: 2px solid var(--paper); background: #c6303e; color: #fff; font-size: 13px; line-height: 20px; text-align: center;
    }

    dialog {
      position: fixed; inset: auto 20px 20px auto; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 20px;
      width: 400px; max-width: calc(100vw - 40px); height: min(660px, calc(100dvh - 40px)); max-height: none;
      background: var(--paper); color: var(--ink); box-shadow: var(--shadow); overflow: hidden;
    }
    dialog[open] { display: flex; flex-direction: column; animation: rise .22s ease-out; }
    dialog::backdrop { background: none; }
    @keyframes rise { from { opacity: 0; transform: translateY(14px); } }

    header { display: flex; align-items: center; gap: 12px; padding: 14px 12px 14px 18px; background: var(--head); color: var(--on-head); }
    header .mark { width: 40px; height: 40px; flex: none; border-radius: 50%; display: grid; place-items: center; background: var(--on-head); color: var(--head); font: 600 20px/1 Georgia, "Times New Roman", serif; }
    header h2 { margin: 0; font-size: 17px; line-height: 1.25; font-weight: 650; }
    header p { margin: 0; font-size: 13px; opacity: .9; }
    header a { flex: none; padding: 12px 4px; color: inherit; font-size: 14px; text-underline-offset: 3px; }
    header div { flex: 1; min-width: 0; }
    header button {
      width: 44px; height: 44px; flex: none; display: grid; place-items: center; border: 0; border-radius: 50%; background: none; color: inherit;
    }
    header button:hover { background: rgb(255 255 255 / 16%); }
    header :focus-visible { outline-color: currentcolor; }

    .log { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: 18px 16px 6px; display: flex; flex-direction: column; gap: 4px; }
    .log:focus-visible { outline-offset: -3px; }
    .log > * { flex: none; }
    .log::before { content: ""; margin-top: auto; }
    .empty { margin: auto; padding: 24px; text-align: center; color: var(--soft); }
    .empty svg { width: 72px; height: 72px; color: var(--accent); opacity: .7; }

    .turn { display: flex; flex-direction: column; gap: 6px; margin-top: 10px; align-items: flex-start; }
    .turn.mine { align-items: flex-end; }
    .turn.fresh { animation: rise .2s ease-out; }
    .bubble { margin: 0; max-width: 86%; padding: 10px 14px; border-radius: 18px; background: var(--theirs); white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
    .turn:not(.mine) .bubble { border-bottom-left-radius: 6px; }
    .mine .bubble { background: var(--accent); color: var(--on-accent); border-bottom-right-radius: 6px; }
    .mine.waiting .bubble { opacity: .72; }
    .note { margin: 0 4px; font-size: 12.5px; color: var(--soft); }
    .note.bad { color: var(--warn); text-align: right; }
    .note button { padding: 6px 4px; margin: -6px 0; border: 0; background: none; text-decoration: underline; text-underline-offset: 2px; font-weight: 600; }

    .card { width: 86%; overflow: hidden; border: 1px solid var(--line); border-radius: 18px; background: var(--paper); }
    .card img { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: cover; object-position: 50% 40%; background: var(--theirs); }
    @media (prefers-color-scheme: dark) { .card img { filter: brightness(.88); } }
    .card h3 { margin: 12px 14px 2px; font-size: 16px; line-height: 1.3; }
    .card p { margin: 0 14px 12px; font-size: 14.5px; color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
    .choices { display: flex; flex-wrap: wrap; gap: 8px; margin: 2px 0 4px; padding: 0; list-style: none; }
    .choices button {
      min-height: 44px; padding: 8px 16px; border: 1.5px solid var(--accent); border-radius: 22px; background: var(--paper); color: var(--accent);
      font-weight: 600; text-align: left; overflow-wrap: anywhere; transition: background .12s ease, color .12s ease;
    }
    .choices button:hover { background: var(--accent); color: var(--on-accent); }

    .typing { align-self: flex-start; display: flex; gap: 5px; margin: 10px 0 4px; padding: 15px 16px; border-radius: 18px; border-bottom-left-radius: 6px; background: var(--theirs); }
    .typing i { width: 8px; height: 8px; border-radius: 50%; background: var(--soft); animation: nod 1.1s infinite ease-in-out; }
    .typing i:nth-child(2) { animation-delay: .15s; }
    .typing i:nth-child(3) { animation-delay: .3s; }
    @keyframes nod { 0%, 60%, 100% { transform: none; opacity: .5; } 30% { transform: translateY(-5px); opacity: 1; } }

    .status { display: flex; align-items: center; justify-content: space-between; gap: 10px; margin: 6px 12px 0; padding: 8px 12px; border-radius: 12px; background: var(--warn-paper); color: var(--warn); font-size: 14px; }
    .status:has(> span:empty) { height: 0; margin: 0; padding: 0; overflow: hidden; }
    .status button { flex: none; min-height: 32px; padding: 0 12px; border: 1px solid currentcolor; border-radius: 16px; background: none; font-weight: 600; }

    form { display: flex; align-items: flex-end; gap: 8px; margin: 0; padding: 10px 12px max(12px, env(safe-area-inset-bottom)); }
    textarea {
      flex: 1; min-height: 46px; max-height: 140px; padding: 10px 16px; border: 1.5px solid var(--line); border-radius: 23px; resize: none;
      background: var(--paper); color: var(--ink); line-height: 1.5; overflow-y: auto;
    }
    textarea:focus { outline: none; border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
    textarea::placeholder { color: var(--soft); opacity: 1; }
    form button { width: 46px; height: 46px; flex: none; display: grid; place-items: center; border: 0; border-radius: 50%; background: var(--accent); color: var(--on-accent); }
    form button[aria-disabled="true"] { background: var(--theirs); color: var(--soft); cursor: default; }
    form svg { width: 22px; height: 22px; }
    .unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

    @media (max-width: 639.98px) {
      dialog { inset: 0 0 auto 0; width: 100%; max-width: none; height: var(--sheet, 100dvh); border: 0; border-radius: 0; }
      header { padding-top: max(14px, env(safe-area-inset-top)); }
    }
    @media (prefers-reduced-motion: reduce) { *, *::before { animation: none !important; transition: none !important; } }
    @media (forced-colors: active) { .bubble, .card, form button, .launcher { border: 1px solid; } }
  `;

  const SPEECH = "M12 3c5.2 0 9.3 3.5 9.3 8s-4.1 8-9.3 8c-1 0-2-.1-2.9-.4L4.3 21l.9-4.1C3.6 15.5 2.7 13.4 2.7 11c0-4.5 4.1-8 9.3-8Z";
  const ARROW = "M12 4.5 5.5 11l1.6 1.6 3.7-3.7v10.6h2.4V8.9l3.7 3.7 1.6-1.6Z";
  const CROSS = "m6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4Z";

  /* An element from its tag, its properties and its children; text only ever arrives as text. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("fill", "currentColor");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", path);
    svg.append(shape);
    return svg;
  }

  /* Some sites and private modes forbid storage; the chat then only forgets more. */
  const memory = {
    read(storage, key) {
      try { return JSON.parse(window[storage].getItem(`${TAG}:${key}`)); } catch { return null; }
    },
    write(storage, key, value) {
      try { window[storage].setItem(`${TAG}:${key}`, JSON.stringify(value)); } catch { /* as above */ }
    },
  };

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /* The socket: connects, notices silence, tries again ever more slowly. */
  class Line {
    #socket = null;
    #ready = false;
    #tries = 0;
    #heard = 0;
    #timer = 0;
    #watch = 0;

    constructor(url, identity, onFrame, onState) {
      this.url = url;
      this.identity = identity;
      this.onFrame = onFrame;
      this.onState = onState;
      this.wanted = false;
      addEventListener("online", () => this.hurry());
      addEventListener("offline", () => this.wanted && this.#drop());
      document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    }

    /* Before `ready` a message would be sent twice: by itself and with those that wait. */
    get open() { return this.#ready && this.#socket?.readyState === WebSocket.OPEN; }

    start() {
      if (this.wanted) return;
      this.wanted = true;
      this.#watch = setInterval(() => this.#check(), WATCH_MS);
      this.#connect();
    }

    stop() {
      this.wanted = false;
      clearInterval(this.#watch);
      clearTimeout(this.#timer);
      this.#socket?.close();
    }

    /* Try now rather than at the end of the pause. */
    hurry() {
      if (!this.wanted) return;
      if (this.#socket) return void this.#check();
      clearTimeout(this.#timer);
      this.#connect();
    }

    send(frame) { if (this.open) this.#socket.send(this.#signed(frame)); }

    /* Every frame says who is there: the server believes none that does not. */
    #signed(frame) { return JSON.stringify(this.identity ? { ...frame, identity: this.identity } : frame); }

    #connect() {
      const socket = new WebSocket(this.url);
      this.#socket = socket;
      this.#heard = performance.now();
      if (this.identity) socket.onopen = () => socket.send(this.#signed({ type: "hello" }));
      socket.onmessage = ({ data }) => {
        if (socket !== this.#socket) return;
        this.#heard = performance.now();
        const frame = JSON.parse(data);
        if (frame.type === "ready") {
          this.#tries = 0;
          this.#ready = true;
          this.onState("open");
        }
        this.onFrame(frame);
      };
      socket.onclose = () => { if (socket === this.#socket) this.#lost(); };
    }

    #lost() {
      this.#socket = null;
      this.#ready = false;
      if (!this.wanted) return;
      this.#tries += 1;
      this.onState(this.#tries > 4 ? "away" : "lost");
      const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#tries - 1));
      // Jitter, so that a restarted server is not met by everybody at once.
      this.#timer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random()));
    }

    #check() {
      if (this.#socket && performance.now() - this.#heard > SILENCE_MS) this.#drop();
    }

    /* A dead connection can take minutes to say that it is closed: do not wait for that. */
    #drop() {
      const socket = this.#socket;
      if (!socket) return;
      socket.onclose = null;
      socket.close();
      this.#lost();
    }
  }

  class AssistantChat extends HTMLElement {
    #pending = new Map(); // id -> { frame, words, tries, bubble }, in the order they were said
    #answered = new Set();
    #told = []; // keys of the exchanges in the log, to add only what is new after a reconnect
    #unread = 0;
    #line = null;
    #state = "open";
    #refusal = ""; // why the server does not take this page's word for who is there
    #identity = null;
    #built = false;
    #atEnd = true;

    connectedCallback() {
      if (!this.#built) this.#build();
      const heading = this.getAttribute("heading") || SHOP_NAME;
      this.ui.heading.textContent = heading;
      this.ui.mark.textContent = Array.from(heading)[0].toUpperCase();
      this.ui.dialog.setAttribute("aria-label", `Chat with ${heading}`);
      WIDE.addEventListener("change", this.#relayout);
      window.visualViewport?.addEventListener("resize", this.#fitSheet);
      document.addEventListener("click", this.#onPageClick);
      // A visitor who never talks costs the server nothing; one who has is told what comes meanwhile.
      if (memory.read("localStorage", "talked") || this.#pending.size) this.#line.start();
      if (AT_HOME && location.hash === "#chat") this.show();
      else if (this.hasAttribute("open") && WIDE.matches && memory.read("sessionStorage", "closed") !== true) {
        this.show({ focus: false });
      }
    }

    disconnectedCallback() {
      WIDE.removeEventListener("change", this.#relayout);
      window.visualViewport?.removeEventListener("resize", this.#fitSheet);
      document.removeEventListener("click", this.#onPageClick);
      this.#line.stop();
    }

    /* Open the chat. */
    show({ focus = true } = {}) {
      const { dialog, launcher, input } = this.ui;
      this.#line.start();
      if (!dialog.open) {
        // On a phone the sheet covers the page, so the page behind must be out of reach: that is what a modal is.
        if (WIDE.matches) dialog.open = true; // show() would take the focus from the page
        else dialog.showModal();
      }
      launcher.hidden = true;
      this.toggleAttribute("showing", true); // for the page, which may want to make room
      memory.write("sessionStorage", "closed", false);
      this.#unread = 0;
      this.#badge();
      this.#fitSheet();
      this.#toEnd({ always: true });
      if (focus) (TOUCH.matches ? this.ui.log : input).focus();
    }

    /* Close the chat; the conversation goes on. */
    hide() {
      this.ui.dialog.close();
    }

    /* Say something as the visitor, as if typed. */
    say(text) {
      const words = text.trim();
      if (words) this.#utter({ type: "say", id: newId(), text: words }, words);
    }

    #build() {
      this.#built = true;
      const user = this.getAttribute("user");
      if (user) this.#identity = { user, signature: this.getAttribute("signature") ?? "" };
      const root = this.attachShadow({ mode: "open" });
      // A sheet made by script is allowed by every Content-Security-Policy; a style element may not be.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];

      const badge = make("span", { className: "badge", hidden: true, "aria-hidden": "true" });
      const launcher = make("button", { type: "button", className: "launcher" }, icon(SPEECH), make("span", {}, "Chat with us"), badge);
      const close = make("button", { type: "button", "aria-label": "Close chat" }, icon(CROSS));
      close.firstChild.setAttribute("width", "22");
      const heading = make("h2");
      const mark = make("span", { className: "mark", "aria-hidden": "true" });
      const subtitle = make("p", {}, "Write as you would to a person");
      const empty = make("div", { className: "empty" }, icon(SPEECH), make("p", {}, "Connecting you…"));
      const typing = make("div", { className: "typing", hidden: true, "aria-hidden": "true" }, make("i"), make("i"), make("i"));
      const log = make("div", { className: "log", role: "log", "aria-live": "polite", "aria-label": "Conversation", tabIndex: 0 }, empty, typing);
      const words = make("span");
      const retry = make("button", { type: "button", hidden: true }, "Try now");
      const status = make("div", { className: "status", role: "status" }, words, retry);
      const label = make("label", { className: "unseen", htmlFor: "say" }, "Your message");
      const input = make("textarea", { id: "say", rows: 1, placeholder: "Write a message…", autocomplete: "off", enterKeyHint: "send" });
      const send = make("button", { type: "submit", "aria-label": "Send", "aria-disabled": "true" }, icon(ARROW));
      const form = make("form", {}, label, input, send);
      const links = SIGN_IN && AT_HOME ? [make("a", { href: SIGN_IN, rel: "nofollow" }, "Staff sign-in")] : [];
      const dialog = make("dialog", {}, make("header", {}, mark, make("div", {}, heading, subtitle), ...links, close), log, status, form);
      root.append(launcher, dialog);
      this.ui = { mark, badge, launcher, heading, empty, typing, log, words, retry, input, send, dialog };

      log.addEventListener("scroll", () => { this.#atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40; });
      new ResizeObserver(() => this.#toEnd()).observe(log);
      launcher.addEventListener("click", () => this.show());
      close.addEventListener("click", () => this.hide());
      dialog.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !event.isComposing) {
          event.preventDefault();
          this.hide();
        }
      });
      dialog.addEventListener("close", this.#onClosed);
      retry.addEventListener("click", () => this.#line.hurry());
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#submit();
      });
      input.addEventListener("input", () => this.#onInput());
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          this.#submit();
        }
      });

      const url = new URL("/channels/web/socket", SERVER);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      if (this.#identity) url.searchParams.set("identity", "1");
      this.#line = new Line(url, this.#identity, (frame) => this.#onFrame(frame), (state) => this.#onState(state));
      addEventListener("online", () => this.#status());
      addEventListener("offline", () => this.#status());
      for (const { frame, words: said, user: who } of memory.read("sessionStorage", "pending") ?? []) {
        if ((who ?? "") === (user ?? "")) this.#await(frame, said); // and not what somebody else had said here
      }
    }

    #onFrame(frame) {
      const handle = {
        ready: () => this.#onReady(frame),
        typing: () => this.#setTyping(true),
        reply: () => this.#onReply(frame),
        said: () => this.#onSaid(frame),
        error: () => this.#onError(frame),
      }[frame.type];
      handle?.(); // a newer server may send more
    }

    #onReady({ history }) {
      this.ui.empty.hidden = true;
      this.#refusal = "";
      this.#setTyping(false);
      const exchanges = [];
      let said = null;
      for (const frame of history) {
        if (frame.type === "said") said = frame;
        else {
          exchanges.push({ said, reply: frame, key: this.#key(frame) });
          said = null;
        }
      }
      const known = exchanges.map(({ key }) => key).lastIndexOf(this.#told.at(-1));
      const isFirst = this.#told.length === 0;
      if (known < 0) {
        this.#clear();
        // The whole conversation is not news and must not be read out.
        this.ui.log.setAttribute("aria-live", "off");
      }
      for (const exchange of exchanges.slice(known + 1)) {
        if (exchange.said && !this.#pending.has(exchange.reply.id)) this.#showSaid(exchange.said, { fresh: !isFirst });
        this.#settle(exchange.reply.id);
        this.#showReply(exchange.reply, { fresh: !isFirst });
        if (!isFirst) this.#count(exchange.reply);
      }
      for (const { reply } of exchanges) this.#settle(reply.id);
      for (const message of this.#pending.values()) {
        this.#put(message.bubble);
        this.#line.send(message.frame);
      }
      if (this.#pending.size) this.#dropChoices();
      this.#toEnd();
      requestAnimationFrame(() => this.ui.log.setAttribute("aria-live", "polite"));
    }

    #onReply(frame) {
      if (frame.id !== null && this.#answered.has(frame.id)) return;
      this.#settle(frame.id);
      this.#setTyping(this.#pending.size > 0);
      this.#status();
      this.#showReply(frame, { fresh: true });
      this.#count(frame);
    }

    #count({ messages }) {
      if (this.ui.dialog.open || !messages.length) return;
      this.#unread += 1;
      this.#badge();
    }

    #onSaid(frame) {
      this.#dropChoices();
      this.#showSaid(frame, { fresh: true });
    }

    #onError({ id, code, text }) {
      this.#setTyping(false);
      const message = this.#pending.get(id);
      if (!message && code.startsWith("identity_")) return void this.#onRefused(text);
      if (!message) return void this.#status(text);
      message.tries += 1;
      if (RETRIED.has(code) && message.tries < MAX_TRIES) {
        this.#note(message, text);
        setTimeout(() => this.#pending.has(id) && this.#line.send(message.frame), FIRST_RETRY_MS * 2 ** message.tries);
        return;
      }
      this.#forget(id);
      message.bubble.classList.remove("waiting");
      this.#note(message, text, code === "text_too_long" ? "Edit" : "Try again", () => {
        message.bubble.remove();
        if (code === "text_too_long") this.#edit(message.words);
        // A message that was refused was not recorded, so it goes out as the same one.
        else this.#utter(message.frame, message.words);
      });
    }

    /* Nothing is shown, and nothing that is said goes out, before it is clear whose conversation it is. */
    #onRefused(text) {
      this.#refusal = text;
      this.#state = "open";
      this.ui.empty.hidden = true;
      this.#clear();
      for (const message of this.#pending.values()) this.#put(message.bubble);
      this.#status();
    }

    #onState(state) {
      this.#state = state;
      if (state !== "open") this.#setTyping(false);
      this.#status();
    }

    #status(text = "") {
      const { words, retry } = this.ui;
      const lines = {
        lost: "Connection lost. Reconnecting…",
        away: "The chat cannot be reached right now. Your messages are kept and sent as soon as it can.",
      };
      const offline = this.#state !== "open" && !navigator.onLine;
      words.textContent = offline ? "You are offline. Reconnecting as soon as you are back…" : (lines[this.#state] ?? (text || this.#refusal));
      retry.hidden = offline || this.#state === "open";
    }

    #submit() {
      const { input } = this.ui;
      const text = input.value.trim();
      if (!text || this.#tooLong()) return;
      input.value = "";
      this.#onInput();
      this.say(text);
      input.focus();
    }

    #edit(text) {
      this.ui.input.value = text;
      this.#onInput();
      this.ui.input.focus();
    }

    #tooLong() {
      return this.ui.input.value.trim().length > MAX_TEXT_CHARACTERS;
    }

    #onInput() {
      const { input, send } = this.ui;
      input.style.height = "auto";
      input.style.height = `${input.scrollHeight + 3}px`;
      send.setAttribute("aria-disabled", String(!input.value.trim() || this.#tooLong()));
      const count = input.value.trim().length.toLocaleString("en");
      this.#status(this.#tooLong() ? `${MAX_TEXT_CHARACTERS.toLocaleString("en")} characters fit in a message; this has ${count}.` : "");
    }

    #utter(frame, words) {
      memory.write("localStorage", "talked", true);
      this.ui.empty.hidden = true;
      this.#dropChoices();
      const message = this.#await(frame, words);
      message.bubble.classList.add("fresh");
      this.#put(message.bubble);
      this.#line.start();
      this.#line.send(frame);
      this.#toEnd({ always: true });
    }

    #await(frame, words) {
      const message = { frame, words, tries: 0, bubble: this.#mine(words) };
      message.bubble.classList.add("waiting");
      this.#pending.set(frame.id, message);
      this.#keep();
      return message;
    }

    #settle(id) {
      const message = this.#pending.get(id);
      if (!message) return;
      this.#answered.add(id);
      this.#forget(id);
      message.bubble.classList.remove("waiting");
      message.bubble.querySelector(".note")?.remove();
      if (!message.bubble.isConnected) this.#put(message.bubble);
    }

    #forget(id) {
      this.#pending.delete(id);
      this.#keep();
    }

    /* A reload in the middle loses nothing either. */
    #keep() {
      const user = this.#identity?.user ?? "";
      const kept = Array.from(this.#pending.values(), ({ frame, words }) => ({ frame, words, user }));
      memory.write("sessionStorage", "pending", kept);
    }

    #mine(text) {
      return make("div", { className: "turn mine" }, make("span", { className: "unseen" }, "You said:"), make("p", { className: "bubble" }, text));
    }

    #note({ bubble }, text, action = "", onAction = null) {
      bubble.querySelector(".note")?.remove();
      const note = make("p", { className: "note bad" }, text);
      if (action) {
        const button = make("button", { type: "button" }, action);
        button.addEventListener("click", onAction);
        note.append(" ", button);
      }
      bubble.append(note);
      this.#toEnd();
    }

    #showSaid({ channel, text }, { fresh }) {
      const turn = this.#mine(text);
      if (channel !== "web") turn.append(make("p", { className: "note" }, ELSEWHERE[channel] ?? `by ${channel}`));
      turn.classList.toggle("fresh", fresh);
      this.#put(turn);
    }

    #showReply(frame, { fresh }) {
      // Turn 0 was answered without being recorded, so no history will ever hold it.
      if (frame.turn) this.#told.push(this.#key(frame));
      if (this.#told.length > 200) this.#told.shift();
      if (!frame.messages.length) return;
      this.#dropChoices();
      const turn = make("div", { className: "turn" });
      turn.classList.toggle("fresh", fresh);
      turn.append(make("span", { className: "unseen" }, `${this.ui.heading.textContent}:`));
      for (const message of frame.messages) {
        if (message.text) turn.append(make("p", { className: "bubble" }, message.text));
        if (message.card) turn.append(this.#card(message.card));
        if (message.choices.length) turn.append(this.#choices(message.choices));
      }
      this.#put(turn);
      this.#toEnd({ turn });
    }

    #card({ title, text, image, image_alt: alt }) {
      const card = make("div", { className: "card" });
      if (image) {
        const url = new URL(image, SERVER);
        // Pictures are ours: nothing a message says may make the browser call on others.
        if (url.origin === SERVER) {
          const picture = make("img", { alt, loading: "lazy", decoding: "async" });
          picture.addEventListener("error", () => picture.remove());
          picture.src = url.href;
          card.append(picture);
        }
      }
      card.append(make("h3", {}, title), make("p", {}, text));
      return card;
    }

    #choices(choices) {
      const list = make("ul", { className: "choices" });
      for (const { title, payload } of choices) {
        const button = make("button", { type: "button" }, title);
        button.addEventListener("click", () => {
          this.#utter({ type: "choose", id: newId(), payload }, title);
          // The button is gone; a phone's keyboard should not jump up for that.
          (TOUCH.matches ? this.ui.log : this.ui.input).focus();
        });
        list.append(make("li", {}, button));
      }
      return list;
    }

    #dropChoices() {
      for (const list of this.ui.log.querySelectorAll(".choices")) list.remove();
    }

    #key({ turn, messages }) {
      return JSON.stringify([turn, messages]);
    }

    #clear() {
      this.#told = [];
      for (const turn of this.ui.log.querySelectorAll(".turn")) turn.remove();
    }

    #put(turn) {
      this.ui.log.insertBefore(turn, this.ui.typing);
    }

    #setTyping(on) {
      this.ui.typing.hidden = !on;
      if (on) this.#toEnd();
    }

    /* To the end of the log, but not past the beginning of a long answer; not at all for who reads further up. */
    #toEnd({ turn = null, always = false } = {}) {
      const { log } = this.ui;
      if (!this.#atEnd && !always) return;
      const top = turn && turn.offsetHeight > log.clientHeight ? turn.offsetTop - log.offsetTop - 12 : log.scrollHeight;
      log.scrollTo({ top });
    }

    #badge() {
      const { badge, launcher } = this.ui;
      badge.hidden = this.#unread === 0;
      badge.textContent = this.#unread > 9 ? "9+" : String(this.#unread);
      const news = this.#unread === 1 ? ", 1 new message" : `, ${this.#unread} new messages`;
      launcher.setAttribute("aria-label", `Chat with us${this.#unread ? news : ""}`);
    }

    #onClosed = () => {
      const { launcher } = this.ui;
      if (this.#switching) return;
      this.toggleAttribute("showing", false);
      memory.write("sessionStorage", "closed", true);
      launcher.hidden = false;
      launcher.focus();
    };

    #switching = false;

    /* Between the sheet of a phone and the panel of a wide screen, as when a tablet is turned. */
    #relayout = () => {
      const { dialog } = this.ui;
      if (!dialog.open) return;
      const focused = this.shadowRoot.activeElement;
      this.#switching = true;
      dialog.addEventListener("close", () => { this.#switching = false; }, { once: true });
      dialog.close();
      if (WIDE.matches) dialog.open = true;
      else dialog.showModal();
      focused?.focus();
      this.#fitSheet();
    };

    /* A phone's keyboard covers the page; the sheet ends where it begins. */
    #fitSheet = () => {
      const height = window.visualViewport?.height;
      if (height) this.ui.dialog.style.setProperty("--sheet", `${height}px`);
    };

    #onPageClick = (event) => {
      const asked = event.target.closest?.("[data-assistant-say]");
      if (!asked) return;
      event.preventDefault();
      this.show();
      this.say(asked.dataset.assistantSay);
    };
  }

  customElements.define(TAG, AssistantChat);

  function insert() {
    if (document.querySelector(TAG)) return;
    const chat = document.createElement(TAG);
    if (OWN_SCRIPT.dataset.heading) chat.setAttribute("heading", OWN_SCRIPT.dataset.heading);
    if ("open" in OWN_SCRIPT.dataset) chat.setAttribute("open", "");
    for (const name of ["user", "signature"]) if (OWN_SCRIPT.dataset[name]) chat.setAttribute(name, OWN_SCRIPT.dataset[name]);
    document.body.append(chat);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", insert);
  else insert();
})();
