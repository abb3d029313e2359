// http-event-stream, as a server that `sse-bench peers` measures. Its arguments: topics, kept.
import { EventEmitter } from "node:events";
import httpEventStream from "http-event-stream";
import { serve } from "./peer_server.mjs";

const emitter = new EventEmitter().setMaxListeners(0);
const kept = [];

function live(request, response, topic) {
  return httpEventStream.streamEvents(request, response, {
    keepAliveInterval: 15000,
    fetch: async () => kept,
    stream(context) {
      emitter.on(topic, context.sendEvent);
      return () => emitter.off(topic, context.sendEvent);
    },
  });
}

serve({
  begin() {},
  live,
  replay(request, response) {
    request.headers["last-event-id"] = "0"; // without it nothing is fetched
    return live(request, response, 0);
  },
  publish(topic, event, keep) {
    if (keep) kept.push(event);
    if (kept.length > keep) kept.shift();
    emitter.emit(topic, event);
  },
});
