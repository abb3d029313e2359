// npm's `@anthropic-ai/sdk`: node anthropic.mjs URL KEY

import Anthropic from "@anthropic-ai/sdk";
import { answer } from "./answer.mjs";

const [url, key] = process.argv.slice(2);

await answer(async (read) => {
  const client = new Anthropic({ baseURL: url, apiKey: "none" });
  const question = { model: "stand-in", max_tokens: 1024, stream: true, messages: [{ role: "user", content: "Who are you?" }] };
  const stream = await client.messages.create(question, { headers: { "Idempotency-Key": key } });
  for await (const event of stream) {
    if (event.type === "content_block_delta") read.text += event.delta.text;
    if (event.type === "message_delta") read.finish = event.delta.stop_reason;
  }
});
