// One JSON line for each event, until `done`.

const types = ["message", "log", "done", "datastar-number", "datastar-done"];

export function print(source) {
  for (const type of types) {
    source.addEventListener(type, (event) => {
      console.log(JSON.stringify({ type, data: event.data, id: event.lastEventId }));
      if (type.endsWith("done")) process.exit(0);
    });
  }
  source.addEventListener("error", (event) => {
    // EventSource reports every lost connection; only one it gave up on is a failure.
    if (source.readyState !== source.CLOSED) return;
    console.error("closed for good:", event.code ?? "", event.message ?? "");
    process.exit(1);
  });
}
