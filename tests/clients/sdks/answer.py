"""Prints as JSON what an SDK has read, and the error that it raised, if it did."""

import json


def answer(ask) -> None:
    read = {"text": "", "finish": None, "error": None}
    try:
        ask(read)
    except Exception as error:
        read["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(read))
