// Reads an answer over a line that is cut, as the README says, with npm's eventsource-parser: `node reads.mjs URL KEY`.
// Prints the text, and how many requests it took.
import { createParser } from "../vendor/eventsource-parser.js";

const [url, key] = process.argv.slice(2);
const body = JSON.stringify({ model: "stand-in", stream: true, messages: [{ role: "user", content: "Who are you?" }] });
let lastId = "", text = "", requests = 0, isDone = false;

while (!isDone) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  if (lastId) headers["Last-Event-ID"] = lastId;
  try {
    requests++;
    const response = await fetch(url, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const parser = createParser({
      onEvent({ id, event, data }) {
        if (event === "reset") throw new Error(`a gap: ${data}`);
        lastId = id;
        if (data === "[DONE]") isDone = true;
        else text += JSON.parse(data).choices[0].delta.content ?? "";
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body) parser.feed(decoder.decode(chunk, { stream: true }));
  } catch (error) {
    if (/gap|status/.test(error.message)) throw error;
    await new Promise((ready) => setTimeout(ready, 50));
  }
}
console.log(JSON.stringify({ text, requests }));
