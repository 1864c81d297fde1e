"""Runs the code of workflows again on their histories, to see that a change does not break runs that are open.

    replayer = Replayer(workflows=[Order])
    await replayer.replay_workflow(WorkflowHistory.from_json("order-1", Path("order-1.json").read_text()))

No activity runs, no time passes and nothing is recorded: each step is given what it was given then, and what the code asks
for is held against what it asked for. Histories come from `WorkflowHandle.fetch_history`, from a list's `map_histories`,
from files of `streamflow workflow history`, and, where they can be mapped, from files that Temporal wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from streamflow.common import HeaderCodecBehavior
from streamflow.converter import DataConverter
from streamflow.coroutine.errors import CodeFailed
from streamflow.model.events import History
from streamflow.processor.payloads.codec import CodecFailed
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.plugin import Plugin
from streamflow.worker.preparing import debug_wanted
from streamflow.worker.replay.replaying import replay_history
from streamflow.worker.runners import WorkflowRunner, run_by
from streamflow.worker.setup import definitions_of
from streamflow.worker.workflow_sandbox.runner import SANDBOXED, UNSANDBOXED

if TYPE_CHECKING:
    from streamflow.runtime import Runtime

NAMESPACE = "ReplayNamespace"


class WorkflowHistory(Protocol):
    """What a replayer needs of a `streamflow.client.WorkflowHistory`."""

    @property
    def workflow_id(self) -> str: ...

    @property
    def run_id(self) -> str: ...

    def to_model(self) -> History: ...


class ReplayerConfig(TypedDict, total=False):
    """The arguments of a Replayer."""

    workflows: Sequence[type]
    workflow_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    plugins: Sequence[Plugin]
    build_id: str | None
    identity: str | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    debug_mode: bool
    runtime: Runtime | None
    disable_safe_workflow_eviction: bool
    header_codec_behavior: HeaderCodecBehavior


@dataclass(frozen=True)
class WorkflowReplayResult:
    """How the replay of one history went."""

    history: Any
    """The `WorkflowHistory` that was replayed."""
    replay_failure: Exception | None
    """A `NondeterminismError`, or what the code raised that is no failure; ``None`` if all is well."""


@dataclass(frozen=True)
class WorkflowReplayResults:
    """How the replay of several histories went."""

    replay_failures: Mapping[str, Exception]
    """By run ID; empty if all is well."""


class Replayer:
    """Replays histories of workflows whose code is given here. Each replayer may replay any number of them."""

    def __init__(
        self,
        *,
        workflows: Sequence[type],
        workflow_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = SANDBOXED,
        unsandboxed_workflow_runner: WorkflowRunner = UNSANDBOXED,
        namespace: str = NAMESPACE,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        build_id: str | None = None,
        identity: str | None = None,
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        debug_mode: bool = False,
        runtime: Runtime | None = None,
        disable_safe_workflow_eviction: bool = False,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Give what the worker of these workflows is given, the data converter with its codec above all.

        Args:
            workflow_task_executor: Where the code runs. Default: a thread for each history.
            debug_mode: No guards, so that debuggers work. Also set by STREAMFLOW_DEBUG and TEMPORAL_DEBUG.

        ``build_id``, ``identity``, ``runtime`` and ``disable_safe_workflow_eviction`` change nothing.

        Raises:
            ValueError: there are no workflows, or two have one name.
        """
        config = ReplayerConfig(
            workflows=list(workflows),
            workflow_task_executor=workflow_task_executor,
            workflow_runner=workflow_runner,
            unsandboxed_workflow_runner=unsandboxed_workflow_runner,
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=plugins,
            build_id=build_id,
            identity=identity,
            workflow_failure_exception_types=workflow_failure_exception_types,
            debug_mode=debug_mode,
            runtime=runtime,
            disable_safe_workflow_eviction=disable_safe_workflow_eviction,
            header_codec_behavior=header_codec_behavior,
        )
        self._given = config.copy()
        self._plugins = list(plugins)
        for plugin in self._plugins:
            config = plugin.configure_replayer(config)
        if not config.get("workflows"):
            raise ValueError("At least one workflow must be specified: expected some, found none")
        self._config = config
        definitions = definitions_of(
            config.get("workflows", ()), config.get("workflow_failure_exception_types", ())
        )
        self._definitions = run_by(
            definitions, config.get("workflow_runner"), config.get("unsandboxed_workflow_runner")
        )

    def config(self, *, active_config: bool = False) -> ReplayerConfig:
        """The arguments of an equal replayer: as given, or, with ``active_config``, as plugins have changed them."""
        config = (self._config if active_config else self._given).copy()
        config["workflows"] = list(config.get("workflows", ()))
        return config

    async def replay_workflow(
        self, history: WorkflowHistory, *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResult:
        """Replays one history.

        Raises:
            NondeterminismError: the code does not do what the history says; unless ``raise_on_replay_failure`` is off.
            Exception: what the code raised that is no failure; the same.
            ValueError: the history's workflow type is none of those given; the same.
        """

        async def only() -> AsyncIterator[WorkflowHistory]:
            yield history

        async with self.workflow_replay_iterator(only()) as results:
            async for result in results:
                if raise_on_replay_failure and result.replay_failure is not None:
                    raise result.replay_failure
                return result
        raise RuntimeError("Expected one result, found none: a plugin gave no history on")

    async def replay_workflows(
        self, histories: AsyncIterator[WorkflowHistory], *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResults:
        """Replays several, one after the other. Raises the first failure, unless ``raise_on_replay_failure`` is off."""
        failures: dict[str, Exception] = {}
        async with self.workflow_replay_iterator(histories) as results:
            async for result in results:
                if result.replay_failure is not None:
                    if raise_on_replay_failure:
                        raise result.replay_failure
                    failures[result.history.run_id] = result.replay_failure
        return WorkflowReplayResults(replay_failures=failures)

    def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replays several while their results are looked at, within ``async with``; failures are not raised."""
        run: _Run = Replayer._run
        for plugin in reversed(self._plugins):
            run = partial(_run_by, plugin, run)
        return run(self, histories)

    @asynccontextmanager
    async def _run(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncGenerator[AsyncIterator[WorkflowReplayResult]]:
        async def results() -> AsyncGenerator[WorkflowReplayResult]:
            async for history in histories:
                yield await self._replay(history)

        replaying = results()
        try:
            yield replaying
        finally:
            await replaying.aclose()

    async def _replay(self, history: WorkflowHistory) -> WorkflowReplayResult:
        config = self._config
        debug = config.get("debug_mode", False) or debug_wanted()
        replay = partial(
            replay_history,
            history.to_model(),
            self._definitions,
            config.get("data_converter", DataConverter.default),
            namespace=config.get("namespace", NAMESPACE),
            interceptors=config.get("interceptors", ()),
            guarded=not debug,
            header_codec=config.get("header_codec_behavior") is not HeaderCodecBehavior.NO_CODEC,
        )
        loop = asyncio.get_running_loop()
        try:
            # A loop of its own: the code's may not run within another, and its steps may be long.
            await loop.run_in_executor(config.get("workflow_task_executor"), replay)
        except (CodeFailed, CodecFailed) as error:
            return WorkflowReplayResult(history, _as_exception(error.exception))
        except Exception as error:  # whatever keeps the history from being replayed is the result
            return WorkflowReplayResult(history, error)
        return WorkflowReplayResult(history, None)


_Run = Callable[
    ["Replayer", "AsyncIterator[Any]"],
    "AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]",
]


def _run_by(
    plugin: Plugin, next: _Run, replayer: Replayer, histories: AsyncIterator[Any]
) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
    return plugin.run_replayer(replayer, histories, next)


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(repr(error))
