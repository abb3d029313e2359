"use strict";
// The shared part of all pages: one line under the title that says what state the connection is in, what came, and how often it was
// resumed. "live": connected. "reconnecting": cut off, and the browser tries again. "away": closed by the button. "ended": the
// server has nothing more (204), or the page has closed it. "refused": it does not let this page in.
// "idle": nothing was asked for yet.

const $ = (id) => document.getElementById(id);
const tally = { events: 0, resumed: 0 };

/** Says in the page's one line what state the connection is in. */
function say(state, more = "") {
  if (!$("line")) {
    const line = document.createElement("div");
    line.id = "line";
    line.innerHTML = `<span id="state" role="status"></span><span id="tally"></span><code id="place"></code>`;
    document.querySelector("header").after(line);
  }
  // A state that is said again would be read out again.
  if ($("state").textContent !== state + more) $("state").textContent = state + more;
  $("state").className = state;
}

/** Counts an event, whose id is where this page is now. */
function count(id) {
  tally.events++;
  showTally(id);
}

function showTally(id) {
  const times = tally.resumed === 1 ? "once" : `${tally.resumed} times`;
  $("tally").textContent = `${tally.events} events` + (tally.resumed ? `, resumed ${times}` : "");
  $("place").textContent = $("place").title = id ?? "";
}

/**
 * An EventSource with these listeners, one for each type of event, which says what state it is in. The browser reconnects and
 * resumes by itself. What is returned has `close()`, which ends it for good,
 * `leave(ms)`, which goes away for that long, and `goTo(url)`.
 */
function live(url, listeners, options = {}) {
  let source, comesBack, lastId = "", wasCut = false;

  function connect() {
    clearTimeout(comesBack); // a page that connects to another stream while away is back
    say("connecting");
    const where = new URL(url, location.href);
    // Only a page that has closed its source must say where it was; and it can only in the query.
    if (lastId) where.searchParams.set("lastEventId", lastId);
    source = new (options.EventSource ?? EventSource)(where.href, options);
    source.onopen = () => {
      say("live");
      if (wasCut && lastId) tally.resumed++;
      wasCut = false;
      showTally(lastId);
    };
    source.onerror = () => {
      wasCut = true;
      const isOver = source.readyState === 2;
      say(isOver ? (tally.events ? "ended" : "refused") : "reconnecting");
      if (isOver) options.onEnd?.();
    };
    for (const [type, listener] of Object.entries(listeners)) {
      source.addEventListener(type, (event) => {
        if (event.lastEventId) lastId = event.lastEventId;
        count(lastId);
        listener(event);
      });
    }
  }

  connect();
  const stream = {
    close() {
      clearTimeout(comesBack);
      source.close();
      say("ended");
    },
    /** Another stream that goes on where this one was. */
    goTo(next) {
      source.close();
      url = next;
      connect();
    },
    leave(ms) {
      source.close();
      wasCut = true;
      say("away", ` for ${ms / 1000} s`);
      comesBack = setTimeout(connect, ms);
    },
  };
  if (options.canLeave !== false) offerToLeave(stream);
  return stream;
}

/** A button that cuts the page off for a while: what it has missed arrives when it is back. */
function offerToLeave(stream) {
  $("leave")?.remove();
  const button = Object.assign(document.createElement("button"), { id: "leave", type: "button", textContent: "Go away for 5 s" });
  button.onclick = () => {
    button.disabled = true;
    stream.leave(5000);
    setTimeout(() => { button.disabled = false; }, 5000);
  };
  $("line").append(button);
}

/** An element with this text, which no event can turn into markup. */
function element(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}
