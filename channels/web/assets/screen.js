// A screen that follows a conversation: shows a code to be said there, then what is answered. Nothing is typed here.
"use strict";

const SILENT_MS = 40_000; // a line that was not heard from for so long is dead: there is a beat every 15 s
const LONGEST_PAUSE_MS = 10_000;

const stage = document.getElementById("stage");
const said = document.getElementById("said");
const line = document.getElementById("line");

let socket = null;
let tries = 0;
let silence = 0;

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/screen/socket`);
  socket.onmessage = (event) => {
    tries = 0;
    line.textContent = "";
    listen();
    const frame = JSON.parse(event.data);
    if (frame.type === "code") showCode(frame.code);
    if (frame.type === "show") show(frame);
    if (frame.type === "error") line.textContent = frame.text;
  };
  socket.onclose = () => {
    clearTimeout(silence);
    line.textContent = "Connection lost. Reconnecting…";
    for (const button of stage.querySelectorAll("button")) button.disabled = true;
    setTimeout(connect, Math.min(LONGEST_PAUSE_MS, 500 * 2 ** tries++));
  };
  listen();
}

function listen() {
  clearTimeout(silence);
  silence = setTimeout(() => socket.close(), SILENT_MS);
}

function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function showCode(code) {
  said.textContent = "";
  const digits = made("p", "code", `${code.slice(0, 4)} ${code.slice(4)}`);
  digits.setAttribute("aria-label", [...code].join(" "));
  stage.replaceChildren(
    made("h1", "", "See here what we talk about."),
    made("p", "hint", "In your chat or on the phone, say “show it on my screen”, then this code:"),
    digits,
    made("p", "hint", "It is good for ten minutes and works once."),
  );
}

function show(frame) {
  said.textContent = frame.said;
  const cards = made("div", "cards");
  const choices = made("div", "choices");
  const texts = [];
  for (const message of frame.messages) {
    if (message.card) cards.append(card(message));
    else {
      texts.push(message.text);
      choices.append(...message.choices.map(button));
    }
  }
  stage.replaceChildren(
    made("h1", "", texts[0] ?? frame.messages[0].text),
    ...texts.slice(1).map((text) => made("p", "more", text)),
    ...[cards, choices].filter((part) => part.childElementCount),
  );
  stage.querySelector("button")?.focus();
}

function card(message) {
  const whole = made("article", "card");
  const words = made("div");
  words.append(made("h2", "", message.card.title), made("p", "", message.card.text), ...message.choices.map(button));
  if (message.card.image) {
    const picture = made("img");
    picture.addEventListener("error", () => picture.remove()); // some are for the page alone that asked
    picture.src = message.card.image;
    picture.alt = message.card.image_alt;
    whole.append(picture);
  }
  whole.append(words);
  return whole;
}

function button(choice) {
  const element = made("button", "", choice.title);
  element.type = "button";
  element.addEventListener("click", () => {
    for (const other of stage.querySelectorAll("button")) other.disabled = true;
    const id = crypto.getRandomValues(new Uint32Array(3)).join("-");
    socket.send(JSON.stringify({ type: "choose", id, payload: choice.payload }));
  });
  return element;
}

// A remote control has arrows: each goes to the nearest choice in its direction.
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const from = document.activeElement;
  if (!step || from?.tagName !== "BUTTON") return;
  const centre = (element) => {
    const box = element.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = centre(from);
  let nearest = null;
  let least = Infinity;
  for (const other of stage.querySelectorAll("button")) {
    const [dx, dy] = [centre(other)[0] - x, centre(other)[1] - y];
    const along = dx * step[0] + dy * step[1];
    const across = Math.abs(dx * step[1]) + Math.abs(dy * step[0]);
    if (other !== from && along > 1 && along + 3 * across < least) [nearest, least] = [other, along + 3 * across];
  }
  nearest?.focus();
  event.preventDefault();
});

connect();
