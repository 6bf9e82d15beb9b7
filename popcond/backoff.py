"""How long the queue waits before it tries again: exponential, with full jitter, and never for ever. Pure.

Full jitter, a pause drawn evenly from nothing to the ceiling, spreads clients that failed together better than any
other jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from popcond.wire import Problem

FIRST = 2.0  # seconds: the ceiling of the first pause, doubled by every further failure
LONGEST = 600.0  # … and no further than this
LONGEST_WISH = 3600.0  # seconds: who asks for more patience than this is asked again anyway


def pause(failures: int, chance: float, wish: float | None = None) -> float:
    """Seconds until the next try.

    `failures` counts from 1, `chance` is a random number in 0..1, `wish` is how long the other side asked to be left
    alone; the jitter comes on top of it, so that those who were told the same do not come back together.
    """
    ceiling = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 30))
    return min(max(wish or 0.0, 0.0), LONGEST_WISH) + chance * ceiling


def wish_of(problem: Problem) -> float | None:
    """The `retry_after` of a problem's details in seconds, when it is a number that makes sense."""
    wish = (problem.details or {}).get("retry_after")
    if not isinstance(wish, int | float) or isinstance(wish, bool):
        return None
    return float(wish) if 0 <= wish < float("inf") else None


def announced(problem: Problem, seconds: float, at: float) -> Problem:
    """The problem with the news that it is tried again in so many seconds, which is `at` seconds since the epoch."""
    message = problem.message.rstrip()
    stop = "" if message.endswith((".", "!", "?", "…")) else "."
    return problem.model_copy(
        update={
            "message": f"{message}{stop} Tried again in {_spoken(seconds)}.",
            "details": {**(problem.details or {}), "tried_again_at": at},
        }
    )


def _spoken(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
