"""PyPI's openai: python use_openai.py URL KEY"""

import sys

from answer import answer
from openai import OpenAI

url, key = sys.argv[1:]


def ask(read: dict) -> None:
    client = OpenAI(base_url=f"{url}/v1", api_key="none")
    question = {"model": "stand-in", "stream": True, "messages": [{"role": "user", "content": "Who are you?"}]}
    for chunk in client.chat.completions.create(**question, extra_headers={"Idempotency-Key": key}):
        choice = chunk.choices[0]
        read["text"] += choice.delta.content or ""
        read["finish"] = choice.finish_reason or read["finish"]


answer(ask)
