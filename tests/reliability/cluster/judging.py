"""Judges a recorded run: a folder with the raw topics, what the client was told, what activities witnessed, and the blows.

    python -m tests.reliability.cluster.judging FOLDER

Nothing else is looked at, so the same folder gives the same verdict anywhere.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from streamflow.model.events import Activated
from streamflow.wire import catalog
from streamflow.wire.entities import decode_summary
from tests.faults.checker import witnessed
from tests.reliability.cluster import blows, feed, records, told
from tests.reliability.cluster.activities import Activities, Pause
from tests.reliability.cluster.bank import Bank
from tests.reliability.cluster.log_judge import KINDS, LogJudge, Wrong
from tests.reliability.cluster.recovery import Figures, Steps
from tests.reliability.cluster.sheets import Sheets
from tests.saying import say

HISTORY = "history.raw"
EXECUTIONS = "executions.raw"
TOLD = "told.jsonl"
BLOWS = "blows.jsonl"
WITNESSES = "witness-*.jsonl"


@dataclass(kw_only=True)
class Verdict:
    """What was found wrong, and what was looked at."""

    wrong: list[Wrong]
    workflows: int
    """Of them, each with all its runs."""
    events: int
    transactions: int
    transfers: int
    appends: int
    calls: int
    """Of the client; of ``unknown`` nobody knows what became of them but the log."""
    unknown: int
    executions: int
    reruns: int
    struck: list[blows.Blow]
    all_kills: Figures
    calm_kills: Figures

    def text(self) -> str:
        kinds = Counter(one.kind for one in self.wrong)
        found = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
        return (
            f"{self.workflows:,} workflows, {self.events:,} events in {self.transactions:,} transactions, "
            f"{self.transfers:,} transfers, {self.appends:,} appends, {self.calls:,} calls ({self.unknown:,} unanswered), "
            f"{self.executions:,} activity executions ({self.reruns:,} again before their end was recorded)\n"
            f"injected: {self.injected()}\n"
            f"found: {found}\n"
            f"stepping again after a kill, undisturbed: {self.calm_kills.text()}\n"
            f"stepping again after any kill: {self.all_kills.text()}"
        )

    def injected(self) -> str:
        names = {
            "kill": "processor and worker kills",
            "away": "more with a partition taken over",
            "pause": "pauses",
            "restart": "restarts",
            "restart by force": "of them by force",
            "ended by itself": "ended by themselves",
            "broker kill": "broker kills",
            "broker pause": "broker pauses",
            "broker restart": "broker restarts",
            "network": "network troubles",
        }
        return blows.told(self.struck, names)


def judge(folder: Path) -> Verdict:
    """The verdict on a folder that `run` has written."""
    bank, sheets, activities = Bank(), Sheets(), Activities()
    judge = LogJudge([bank, sheets, activities])
    steps = Steps(catalog.EVENT_CODES[Activated])
    for entry in records.entries(folder / HISTORY):
        judge.take(entry)
        steps.take(entry)
    judge.finish()
    struck = blows.load(folder / BLOWS)
    calls = list(told.read(folder / TOLD))
    bank.finish(calls)
    sheets.finish(calls)
    witnesses = witnessed(sorted(folder.glob(WITNESSES)))
    pauses = [
        Pause(blow.pid, blow.began_ms, blow.until_ms) for blow in struck if blow.what == "pause"
    ]
    activities.finish(witnesses, pauses)
    summaries = (
        decode_summary(value)
        for _, _, _, value in records.raw(folder / EXECUTIONS)
        if value is not None
    )
    workflows = Counter(name for name, _ in judge.runs)
    return Verdict(
        wrong=[
            *judge.wrong,
            *bank.wrong,
            *sheets.wrong,
            *activities.wrong,
            *feed.compared(judge.runs, summaries),
            *_starts(judge, calls),
        ],
        workflows=len(workflows),
        events=sum(judge.events.values()),
        transactions=judge.transactions,
        transfers=bank.transfers,
        appends=sheets.appends,
        calls=len(calls),
        unknown=sum(not call.ok for call in calls),
        executions=len(witnesses),
        reruns=activities.reruns,
        struck=struck,
        all_kills=steps.figures(struck, calm=False),
        calm_kills=steps.figures(struck, calm=True),
    )


def _starts(judge: LogJudge, calls: list[told.Told]) -> list[Wrong]:
    """Each start gave one chain of runs, and every chain has somebody who asked for it; all have ended."""
    wrong: list[Wrong] = []
    asked = {call.name for call in calls if call.what == "start"}
    chains = Counter(run.workflow_id for run in judge.runs.values() if not run.continued_from)
    lost = asked - chains.keys()
    wrong += (Wrong("lost", f"{name} was started, and has no history") for name in lost)
    for name, count in chains.items():
        if count > 1:
            wrong.append(Wrong("doubled", f"{name} was started {count} times"))
    for run in judge.runs.values():
        if run.workflow_id not in asked and run.parent not in asked:
            wrong.append(Wrong("uncommitted", f"nobody asked for {run.workflow_id}"))
        if run.end is None:
            wrong.append(Wrong("lost", f"{run.workflow_id}: run {run.run_id} has no end"))
    return wrong


def main() -> int:
    verdict = judge(Path(sys.argv[1]))
    say(verdict.text())
    for one in verdict.wrong[:50]:
        say(f"    {one.kind}: {one.text}")
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
