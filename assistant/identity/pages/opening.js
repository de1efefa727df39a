// The token of a link is behind the #, which browsers do not send: it reaches the server when the button is pressed.
"use strict";

const form = document.querySelector("form");
const button = form.querySelector("button");

function read() {
  const token = location.hash.slice(1);
  const whole = /^[A-Za-z0-9_-]{43}$/.test(token);
  document.getElementById("token").value = whole ? token : "";
  document.getElementById("whole").hidden = !whole;
  document.getElementById("broken").hidden = whole;
}

// A link works once, so a second press would only lose the answer to the first.
form.addEventListener("submit", () => { button.disabled = true; });
addEventListener("pageshow", () => { button.disabled = false; });
addEventListener("hashchange", read);
read();
