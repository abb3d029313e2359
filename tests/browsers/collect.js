// Collects the events of a client in `window.events`, and shows them. The types that end in `done` are the last.
"use strict";

window.events = [];
window.gaveUp = () => false;

const stream = new URLSearchParams(location.search).get("stream");
const types = ["message", "log", "done", "datastar-number", "datastar-done"];

function take(type, data, id) {
  window.events.push({ type, data, id });
  const line = document.createElement("li");
  line.textContent = `${id} ${type} ${data}`;
  document.querySelector("ol").append(line);
}

function collect(source) {
  window.gaveUp = () => source.readyState === 2;
  for (const type of types) {
    source.addEventListener(type, (event) => {
      take(type, event.data, event.lastEventId);
      if (type.endsWith("done")) source.close();
    });
  }
}
