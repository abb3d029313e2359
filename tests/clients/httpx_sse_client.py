"""httpx-sse: python httpx_sse_client.py <url> [once]

Prints one JSON line for each event, until `done`. The library parses one response; reconnecting, and
saying where from, is up to its user. With `once` it does not reconnect, as in the README of the library.
"""

import json
import sys
import time

import httpx
from httpx_sse import SSEError, connect_sse


def main(url: str, once: bool) -> None:
    last_event_id, retry = "", 3000
    with httpx.Client(timeout=httpx.Timeout(10, read=None), trust_env=False) as client:
        while True:
            headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
            try:
                with connect_sse(client, "GET", url, headers=headers) as source:
                    source.response.raise_for_status()
                    for event in source.iter_sse():
                        retry = retry if event.retry is None else event.retry
                        if event.event == "goodbye":
                            continue
                        line = {"type": event.event, "data": event.data, "id": event.id}
                        print(json.dumps(line), flush=True)
                        if event.event.endswith("done"):
                            return
                        last_event_id = event.id
            except SSEError:
                raise  # a wrong content type: a TransportError too, but no lost connection
            except httpx.TransportError:
                if once:
                    raise
            if once:
                sys.exit("the loop ended")
            time.sleep(retry / 1000)


main(sys.argv[1], sys.argv[2:] == ["once"])
