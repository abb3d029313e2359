// What the servers in Node have in common: the paths of `sse-bench peers`, and its events.
import { createServer } from "node:http";

const [topics, keep] = process.argv.slice(2).map(Number);

export function serve(library) {
  library.begin(topics);
  let next = 0;
  const server = createServer(async (request, response) => {
    const [, what, first, second] = request.url.split("/");
    if (what === "events") return library.live(request, response, Number(first));
    if (what === "replay") return library.replay(request, response);
    response.writeHead(200, { "content-length": 0 }).end();
    for (let left = Number(first); left > 0; left--) {
      const number = Math.floor(next / topics);
      const time = process.hrtime.bigint().toString().padStart(20, "0");
      const data = `${String(number).padStart(12, "0")} ${time} `.padEnd(Number(second), "x");
      library.publish(next++ % topics, { id: String(number), data }, keep);
    }
  });
  server.keepAliveTimeout = 0; // the connection that publishes may be quiet for long
  server.listen(0, "127.0.0.1", 1024, () => console.log(`127.0.0.1:${server.address().port}`));
}

process.stdin.resume().on("end", () => process.exit());
