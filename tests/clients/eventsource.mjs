// npm's `eventsource`: node eventsource.mjs <url>

import { EventSource } from "eventsource";
import { print } from "./print.mjs";

print(new EventSource(process.argv[2]));
