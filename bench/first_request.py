"""A process that is started as a function is: it imports a handler and answers one event.

`python -m bench.first_request MODULE` reads the event from the standard input, and prints as JSON
the seconds of both, those of the processor, and the resident memory in MB.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module

from bench.resident import resident


def main(module: str) -> None:
    event = json.load(sys.stdin)
    processor, began = time.process_time(), time.perf_counter()
    handler = import_module(module).handler
    imported = time.perf_counter()
    answer = handler(event, None)
    answered = time.perf_counter()
    told = {
        "import": imported - began,
        "request": answered - imported,
        "processor": time.process_time() - processor,
        "megabytes": resident(os.getpid()),
        "answer": answer,
    }
    # The handlers log to the standard output: this is its last line.
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
