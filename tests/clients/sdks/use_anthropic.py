"""PyPI's anthropic: python use_anthropic.py URL KEY"""

import sys

from answer import answer
from anthropic import Anthropic

url, key = sys.argv[1:]


def ask(read: dict) -> None:
    client = Anthropic(base_url=url, api_key="none")
    question = {"model": "stand-in", "max_tokens": 1024, "stream": True, "messages": [{"role": "user", "content": "Who are you?"}]}
    for event in client.messages.create(**question, extra_headers={"Idempotency-Key": key}):
        if event.type == "content_block_delta":
            read["text"] += event.delta.text
        if event.type == "message_delta":
            read["finish"] = event.delta.stop_reason


answer(ask)
