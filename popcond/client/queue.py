"""The routes of the queue and its jobs."""

from __future__ import annotations

from popcond.line import Line
from popcond.wire import JobRow, JobState, Move, Prioritise, Prune, Pruned, Queue, Stage


class QueueRoutes:
    """The queue, one method a route."""

    _line: Line

    async def queue(self) -> Queue:
        """The queue at a glance."""
        return await self._line.one(Queue, "GET", "/v1/queue")

    async def pause_queue(self) -> Queue:
        """Begin nothing new; what runs goes on to its end."""
        return await self._line.one(Queue, "POST", "/v1/queue/pause")

    async def resume_queue(self) -> Queue:
        """Go on after a pause."""
        return await self._line.one(Queue, "POST", "/v1/queue/resume")

    async def move_emoji(self, emoji_id: str, before: str | None) -> Queue:
        """Put an emoji in front of another one, or of all. Raises Conflict when nothing of it waits or runs."""
        return await self._line.one(Queue, "POST", "/v1/queue/move", Move(emoji_id=emoji_id, before=before))

    async def prioritise_emoji(self, emoji_id: str, priority: int) -> Queue:
        """Give an emoji a priority, -100..100; the higher goes first."""
        return await self._line.one(
            Queue, "POST", "/v1/queue/priority", Prioritise(emoji_id=emoji_id, priority=priority)
        )

    async def prioritise_pack(self, pack_id: str, priority: int) -> Queue:
        """Give all emojis of a pack a priority, -100..100."""
        return await self._line.one(Queue, "POST", "/v1/queue/priority", Prioritise(pack_id=pack_id, priority=priority))

    async def prune_queue(self, older_than_days: float) -> Pruned:
        """Forget jobs that ended so many days ago."""
        return await self._line.one(Pruned, "POST", "/v1/queue/prune", Prune(older_than_days=older_than_days))

    async def jobs(
        self,
        *,
        state: JobState | None = None,
        kind: Stage | None = None,
        emoji_id: str | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> tuple[JobRow, ...]:
        """Jobs behind the job `after`: ready ones in the order of the queue, else the newest first."""
        wanted = {"state": state, "kind": kind, "emoji_id": emoji_id, "after": after, "limit": limit}
        params = {name: str(value) for name, value in wanted.items() if value is not None}
        return await self._line.many(JobRow, "/v1/jobs", params)
