// Collects the events of `source` in `window.events`, and shows them.
"use strict";

window.events = [];

function collect(source) {
  window.gaveUp = () => source.readyState === 2;
  for (const type of ["message", "log", "done"]) {
    source.addEventListener(type, (event) => {
      window.events.push({ type, data: event.data, id: event.lastEventId });
      const line = document.createElement("li");
      line.textContent = `${event.lastEventId} ${type} ${event.data}`;
      document.querySelector("ol").append(line);
      if (type === "done") source.close();
    });
  }
}

const stream = new URLSearchParams(location.search).get("stream");
