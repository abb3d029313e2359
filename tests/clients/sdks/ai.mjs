// npm's `ai`, with `@ai-sdk/openai-compatible`: node ai.mjs URL KEY

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import { answer } from "./answer.mjs";

const [url, key] = process.argv.slice(2);

await answer(async (read) => {
  const provider = createOpenAICompatible({ name: "stand-in", baseURL: `${url}/v1` });
  const onError = ({ error }) => { read.error = `${error.constructor.name}: ${error.message}`; };
  const result = streamText({ model: provider("stand-in"), prompt: "Who are you?", headers: { "Idempotency-Key": key }, onError });
  for await (const piece of result.textStream) read.text += piece;
  read.finish = await result.finishReason;
});
