"""Planted bugs in what is decided about commands, and in what is recorded and answered of it."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

DECIDED: Final = (
    Mutant(
        "a copy of a message is a new one",
        "processor/steps/answering.py",
        "return None if raw is None else decode_dedup(raw).answer",
        "return None",
    ),
    Mutant(
        "a copy within one batch is a new one",
        "processor/steps/answering.py",
        "raw = self._part.outcomes.get((workflow_id, message_id))",
        "raw = None",
    ),
    Mutant(
        "messages are not remembered in the log",
        "processor/steps/answering.py",
        "        self._batch.append(OutRecord(history, self._part.number, key, value, ((SF, packed),)))\n\n"
        "    def _own",
        "\n    def _own",
    ),
    Mutant(
        "any attempt may report",
        "engine/decide/activities.py",
        "if activity is None or activity.attempt.attempt != task.attempt:",
        "if activity is None:",
        ("tests/unit/processor/test_activities.py",),
    ),
    Mutant(
        "any token may report",
        "engine/decide/activities.py",
        "if not hmac.compare_digest(activity.token, task.token):",
        "if False:",
        ("tests/unit/processor/test_activities.py",),
    ),
    Mutant(
        "an attempt is not counted",
        "engine/decide/activities.py",
        "attempt=attempt.attempt + 1,",
        "attempt=attempt.attempt,",
        safety=False,
    ),
    Mutant(
        "an activity that ended stays pending",
        "engine/apply.py",
        "            del run.activities[event.op]\n            run.waiting.append(recorded)",
        "            run.waiting.append(recorded)",
    ),
    Mutant(
        "a timer that fired stays",
        "engine/apply.py",
        "        case TimerFired():\n            del run.timers[event.op]",
        "        case TimerFired():",
    ),
    Mutant(
        "a timer that was cancelled stays",
        "engine/apply.py",
        "        case TimerCanceled():\n            del run.timers[event.op]",
        "        case TimerCanceled():\n            pass",
    ),
    Mutant(
        "a timer is due early",
        "engine/deadlines.py",
        "if top is None or top[0] > now_ms:",
        "if top is None or top[0] > now_ms + 1_000:",
    ),
    Mutant(
        "a signal is lost",
        "engine/apply.py",
        "        case SignalReceived():\n            run.waiting.append(recorded)",
        "        case SignalReceived():\n            pass",
    ),
    Mutant(
        "signals come in the wrong order",
        "engine/apply.py",
        "        case SignalReceived():\n            run.waiting.append(recorded)",
        "        case SignalReceived():\n            run.waiting.insert(len(run.waiting) and 1, recorded)",
    ),
    Mutant(
        "a closed run takes signals",
        "engine/decide/messages.py",
        "    if not run.open:\n        return _closed(run)\n    full = refuse_waiting(run, context)",
        "    full = refuse_waiting(run, context)",
    ),
    Mutant(
        "a start with an ID that is taken begins a run",
        "engine/decide/start.py",
        "            refused = True\n",
        "            refused = False\n",
    ),
    Mutant(
        "an activity's task is sent and forgotten",
        "processor/steps/recorder.py",
        "record = OutRecord(queues.topic(task.queue), turn % queues[task.queue], key, encode(task))\n"
        "        self._batch.append(record)",
        "queues.topic(task.queue)",
    ),
    Mutant(
        "time goes back with the owner",
        "processor/steps/recorder.py",
        "return max(self._around.clock.now_ms(), self.run.last_time_ms)",
        "return self._around.clock.now_ms()",
    ),
    Mutant(
        "the run that follows begins twice",
        "processor/steps/runs.py",
        "if following is None or following in self._recorders or not recorder.changed:",
        "if following is None or not recorder.changed:",
    ),
    Mutant(
        "a message meant for another run is taken",
        "processor/commands/stepper.py",
        "if not relations.is_meant(recorder.run, command.origin):",
        "if False:",
        ("tests/unit/processor/test_commands.py",),
    ),
)
