// npm's `openai`: node openai.mjs URL KEY

import OpenAI from "openai";
import { answer } from "./answer.mjs";

const [url, key] = process.argv.slice(2);

await answer(async (read) => {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
  const question = { model: "stand-in", stream: true, messages: [{ role: "user", content: "Who are you?" }] };
  const stream = await client.chat.completions.create(question, { headers: { "Idempotency-Key": key } });
  for await (const { choices: [choice] } of stream) {
    read.text += choice.delta.content ?? "";
    read.finish = choice.finish_reason ?? read.finish;
  }
});
