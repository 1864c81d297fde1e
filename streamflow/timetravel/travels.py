"""Travels of whoever asks: one thread for replays, and the players of the runs that were looked at last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from streamflow.model.events import Recorded
from streamflow.timetravel.code import CodeAtHand, NoCode
from streamflow.timetravel.limits import LIMITS, Limits
from streamflow.timetravel.log import Log
from streamflow.timetravel.player import Player
from streamflow.timetravel.state import View

T = TypeVar("T")
RUNS_KEPT = 4


class Travels:
    """Steps of runs, for the pages of one process."""

    def __init__(self, code: Iterable[CodeAtHand], *, limits: Limits = LIMITS) -> None:
        """``code``: of each namespace one or more; of several that have a type the first counts."""
        self._code: dict[str, list[CodeAtHand]] = {}
        for one in code:
            self._code.setdefault(one.namespace, []).append(one)
        self._limits = limits
        self._players: OrderedDict[tuple[str, str], Player] = OrderedDict()
        # Instances belong to one thread, and their code must not run within the server's loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sf-timetravel")

    def code_of(self, namespace: str, workflow_type: str) -> CodeAtHand:
        """Raises `NoCode` when none is at hand."""
        of_namespace = self._code.get(namespace, [])
        for code in of_namespace:
            if workflow_type in code.definitions:
                return code
        for code in of_namespace:
            if "" in code.definitions:
                return code
        known = {name: one for code in of_namespace for name, one in code.definitions.items()}
        if not of_namespace:
            raise NoCode(
                "Expected workflow code in this process, found none: it serves pages and the API alone. Download the log: "
                "`streamflow replay FILE MODULE:APP --web` steps through it"
            )
        CodeAtHand(
            namespace=namespace, definitions=known, converter=of_namespace[0].converter
        ).definition_of(workflow_type)
        raise AssertionError(workflow_type)

    def version_of(self, namespace: str, workflow_type: str) -> str:
        """Of the code that would run the type; empty where there is none, or it has no version."""
        try:
            return self.code_of(namespace, workflow_type).version
        except NoCode:
            return ""

    def log_of(self, namespace: str, run_id: str) -> Log | None:
        """What was read of a run's history, if it is kept here."""
        player = self._players.get((namespace, run_id))
        return None if player is None else player.log

    async def view(self, namespace: str, log: Log, new: Sequence[Recorded], number: int) -> View:
        """A step of the run, after ``new`` events are added to its log; the one after its last is an attempt.

        Raises:
            NoCode, ValueError, Unfinished, CodecFailed: as `Player` does.
        """

        def ask() -> View:
            log.extend(new)
            player = self._player(namespace, log)
            return player.view(number) if number <= player.steps else player.attempt()

        return await self._call(ask)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Takes down whatever runs are kept, and ends the thread."""

        def end() -> None:
            for player in self._players.values():
                player.close()
            self._players.clear()

        await self._call(end)
        self._thread.shutdown()

    def _player(self, namespace: str, log: Log) -> Player:
        key = (namespace, log.run_id)
        player = self._players.get(key)
        if player is not None:
            # Somebody else may have begun to read the same history at the same time.
            player.log.extend(log.events)
        else:
            code = self.code_of(namespace, log.started.workflow_type)
            player = self._players[key] = Player(log, code, limits=self._limits)
        self._players.move_to_end(key)
        while len(self._players) > RUNS_KEPT:
            self._players.popitem(last=False)[1].close()
        return player

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
