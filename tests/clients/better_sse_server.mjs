// better-sse, as a server that `sse-bench peers` measures. Its arguments: topics, kept.
import { createChannel, createSession } from "better-sse";
import { serve } from "./peer_server.mjs";

const text = (data) => data; // the default makes JSON of it
let channels;
const kept = [];

serve({
  begin(topics) {
    channels = Array.from({ length: topics }, () => createChannel());
  },
  async live(request, response, topic) {
    const session = await createSession(request, response, { serializer: text, keepAlive: 15000 });
    channels[topic].register(session);
  },
  async replay(request, response) {
    const session = await createSession(request, response, { serializer: text, keepAlive: 15000 });
    for (const { id, data } of kept) session.push(data, "message", id);
    channels[0].register(session);
  },
  publish(topic, event, keep) {
    if (keep) kept.push(event);
    if (kept.length > keep) kept.shift();
    channels[topic].broadcast(event.data, "message", { eventId: event.id });
  },
});
