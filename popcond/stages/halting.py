"""Some refusals would meet every order alike: a key that is not taken, an account without money, a model that is gone.

What waits for the same provider, or for the same model of it, is stopped then with the same sentence, instead of asking
for each what is known already. Work whose order is open is left alone: it is paid for, and asking about it is free.
"""

from __future__ import annotations

from popcond.errors import PopconError
from popcond.store import jobs, orderers
from popcond.store.db import Connection
from popcond.store.jobs import Job


def halt_others(connection: Connection, job: Job, error: PopconError) -> list[Job]:
    """Bury the waiting jobs that the same refusal would meet; answers them."""
    stops = (error.details or {}).get("stops")
    if stops not in ("all", "model"):
        return []
    others = orderers.waiting_like(connection, job, same_model=stops == "model")
    return [other for other in others if jobs.bury_waiting(connection, other, error.problem())]
