"""`python -m tests.cloud --port 0 --ledger FILE`: prints its base URL and serves until its parent is gone."""

from __future__ import annotations

import argparse
import os
import threading
import time
from pathlib import Path

from tests.cloud.account import Account, Knobs
from tests.cloud.server import API, Server


def main() -> None:
    """Serve one account."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloud", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--ledger", type=Path, default=Path("ledger.jsonl"), help="where accepted tasks are written")
    parser.add_argument("--run-seconds", type=float, default=0.1, help="how long a task runs")
    given = parser.parse_args()
    server = Server(Account(given.ledger, Knobs(run_seconds=given.run_seconds)), given.port)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    print(f"{server.origin}{API}", flush=True)
    server.serve_forever()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main()
