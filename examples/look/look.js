"use strict";
// The shared part of all pages: one line in the header that says what state the connection is in, what came, and how often it was
// resumed. "live": connected. "reconnecting": cut off, and the browser tries again. "away": closed by the button. "ended": there is
// nothing more, as was meant. "stopped": the server ended it for good, and the page did not expect that. "refused": the server does
// not let this page in. "idle": nothing was asked for yet.

const $ = (id) => document.getElementById(id);
const tally = { events: 0, resumed: 0, begunAgain: 0 };
let missedUntil = 0; // what was missed comes at once

/** Says in the page's one line what state the connection is in. */
function say(state, more = "") {
  if (!$("line")) {
    const line = document.createElement("div");
    line.id = "line";
    line.innerHTML = `<span id="state" role="status"></span><span id="tally"></span><code id="place"></code><span id="failure" role="alert"></span>`;
    document.querySelector("header").append(line);
  }
  // A state that is said again would be read out again.
  if ($("state").textContent !== state + more) $("state").textContent = state + more;
  $("state").className = state;
  if ($("leave")) $("leave").hidden = ["ended", "stopped", "refused", "idle"].includes(state);
}

const many = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
const times = (count, what) => (count ? `, ${what} ${count === 1 ? "once" : `${count} times`}` : "");

/** Counts an event, whose id is where this page is now. */
function count(id) {
  tally.events++;
  showTally(id);
}

function showTally(id) {
  $("tally").textContent = many(tally.events, "event") + times(tally.resumed, "resumed") + times(tally.begunAgain, "began again");
  $("place").textContent = $("place").title = id ?? "";
}

/** Counts the first event after a cut: a `reset` says that the server could not resume, and begins again. */
function countReturn(isReset) {
  if (isReset) tally.begunAgain++;
  else {
    tally.resumed++;
    missedUntil = performance.now() + 250;
  }
}

/** Returns the element, marked if what it shows was missed and has just been replayed. */
function marked(line) {
  if (performance.now() < missedUntil) line.classList.add("missed");
  return line;
}

/** Sends a POST, and returns its answer. If it fails, the line says so until one succeeds. */
async function post(path, body, headers = {}) {
  const answer = await fetch(path, { method: "POST", body, headers }).catch(() => ({ ok: false, status: 0 }));
  if (answer.ok) $("failure").textContent = "";
  else $("failure").textContent = answer.status ? `Refused by the server (${answer.status}).` : "Not sent: the server is away. Try again.";
  return answer;
}

/**
 * An EventSource with these listeners, one for each type of event, which says what state it is in. The browser reconnects and
 * resumes by itself. What is returned has `close()`, which ends it for good, `leave(ms)`, which goes away for that long, and
 * `goTo(url)`. Options: `isOver()` returns true if an end is meant now; `onEnd()` is called at an end, and `onReturn(id)` once the
 * stream has resumed after this id; `uncounted` has listeners for events that each stream begins with.
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
      showTally(lastId);
    };
    source.onerror = () => {
      wasCut = Boolean(lastId);
      if (source.readyState !== 2) return say("reconnecting");
      if (options.isOver?.()) say("ended");
      else if (tally.events) say("stopped", ": reload the page");
      else say("refused");
      options.onEnd?.();
    };
    for (const [type, listener] of Object.entries(options.uncounted ?? {})) source.addEventListener(type, listener);
    for (const [type, listener] of Object.entries(listeners)) {
      source.addEventListener(type, (event) => {
        if (wasCut) countReturn(type === "reset");
        if (wasCut && type !== "reset") options.onReturn?.(lastId);
        if (event.lastEventId) lastId = event.lastEventId;
        wasCut = false;
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
      wasCut = Boolean(lastId);
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
  $("place").after(button);
}

/** An element with this text, which no event can turn into markup. */
function element(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}
