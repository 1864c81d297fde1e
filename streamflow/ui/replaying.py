"""One downloaded history as a page of its own: the same scrubber, without a log, a client or an engine."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from streamflow.model.events import History
from streamflow.timetravel import CodeAtHand, Log, Travels
from streamflow.ui import arguments
from streamflow.ui.payloads import Reader
from streamflow.ui.site import Problem, Site
from streamflow.ui.travel import OPENS_AT_END_MAX, refused, told


def replay_routes(history: History, code: CodeAtHand, travels: Travels) -> list[BaseRoute]:
    """The steps of this history at ``/``, by ``code``, which ``travels`` has too."""
    page = _Page(history, code, travels)
    site = page.site
    return [
        Route("/", page.answer),
        Route("/ui/static/{version}/{name}", site.file),
        Route("/{rest:path}", site.nothing),
    ]


class _Page:
    def __init__(self, history: History, code: CodeAtHand, travels: Travels) -> None:
        self.site = Site({}, travels=travels)
        self._history = history
        self._code = code
        self._travels = travels
        self._log = Log.of(history)

    async def answer(self, request: Request) -> Response:
        history, log = self._history, self._log
        started = log.started
        total = len(log.steps) + bool(log.waiting())
        try:
            number = arguments.number(request.query_params.get("step", ""), "step")
        except Problem as problem:
            return self.site.page(
                "problem.html", request, None, status_code=400, message=problem.message
            )
        if not number:
            number = total if len(history.events) <= OPENS_AT_END_MAX else 1
        if not total:
            step = refused("The code had not run yet when this history was downloaded.")
        else:
            step = await told(
                travels=self._travels,
                namespace=self._code.namespace,
                log=log,
                new=(),
                number=min(number, total),
                total=total,
                reader=Reader.within(
                    self._code.converter, self._code.namespace, history.workflow_id
                ),
                link=lambda one: f"/?step={one}",
                follow="/",
                is_followed=False,
                form={},
                action="/",
            )
        return self.site.page(
            "replay.html",
            request,
            None,
            workflow_id=history.workflow_id,
            run_id=history.run_id,
            workflow_type=started.workflow_type,
            count=len(history.events),
            **step,
        )
