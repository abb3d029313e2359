// The EventSource of `undici`, Node's HTTP client: node undici.mjs <url>

import { EventSource } from "undici";
import { print } from "./print.mjs";

// Its timer for the next attempt does not keep Node running (until version 7).
setInterval(() => {}, 60_000);

print(new EventSource(process.argv[2]));
