"""A process that is started as a function is: it imports a handler and answers two events.

`python -m bench.first_request MODULE` reads a list of both from the standard input, and prints as
JSON the seconds of each step, those of the processor until the first answer, and the resident
memory in MB.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module

from bench.resident import resident


def main(module: str) -> None:
    first, second = json.load(sys.stdin)
    processor, began = time.process_time(), time.perf_counter()
    handler = import_module(module).handler
    imported = time.perf_counter()
    answers = [handler(first, None)]
    answered = time.perf_counter()
    processor = time.process_time() - processor
    again = time.perf_counter()
    answers.append(handler(second, None))
    told = {
        "import": imported - began,
        "request": answered - imported,
        "processor": processor,
        "second": time.perf_counter() - again,
        "megabytes": resident(os.getpid()),
        "answers": answers,
    }
    # The handlers log to the standard output: this is its last line.
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
