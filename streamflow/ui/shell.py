"""The command that does in a shell what a page shows or does, to be copied."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

Options = Sequence[tuple[str, str]]


def list_workflows(namespace: str, query: str) -> str:
    return _command("workflow", "list", namespace, options=[("--query", query)] if query else [])


def describe(namespace: str, workflow_id: str, run_id: str) -> str:
    return about("workflow", "describe", namespace, workflow_id, run_id)


def start(namespace: str, given: Mapping[str, str]) -> str:
    options = [("--queue", given["queue"] or "QUEUE")]
    if given["id"]:
        options.append(("--id", given["id"]))
    options += [("--input", value) for value in inputs(given["args"])]
    return _command("workflow", "start", namespace, [given["type"] or "TYPE"], options)


def batch(namespace: str, operation: str, query: str, reason: str) -> str:
    options = [("--query", query)]
    if reason and operation != "unpause":
        options.append(("--reason", reason))
    return _command("batch", operation, namespace, [], options)


def list_schedules(namespace: str) -> str:
    return _command("schedule", "list", namespace)


def describe_schedule(namespace: str, schedule_id: str) -> str:
    return _command("schedule", "describe", namespace, [schedule_id])


def describe_queue(namespace: str, queue: str) -> str:
    return _command("task-queue", "describe", namespace, [queue])


def list_letters(namespace: str, state: str, text: str) -> str:
    options = [] if state == "open" else [("--state", state)]
    return _command("dlq", "list", namespace, [], [*options, *([("--text", text)] if text else [])])


def show_letter(namespace: str, letter_id: str) -> str:
    return _command("dlq", "show", namespace, [letter_id])


def list_audit(namespace: str, who: str, workflow_id: str) -> str:
    options = [("--user", who)] if who else []
    options += [("--workflow-id", workflow_id)] if workflow_id else []
    return _command("audit", "list", namespace, [], options)


def about(
    group: str,
    verb: str,
    namespace: str,
    workflow_id: str,
    run_id: str,
    words: Sequence[str] = (),
    options: Options = (),
) -> str:
    """A command about one run."""
    where = [("--run-id", run_id)] if run_id else []
    return _command(group, verb, namespace, [workflow_id, *words], [*options, *where])


def inputs(text: str) -> list[str]:
    """Arguments as a form has them, each on one line."""
    try:
        return [json.dumps(json.loads(text))] if text.strip() else []
    except ValueError:
        return [line.strip() for line in text.splitlines() if line.strip()]


def _command(
    group: str,
    verb: str,
    namespace: str,
    words: Sequence[str] = (),
    options: Options = (),
) -> str:
    given = ["streamflow", group, verb]
    if namespace != "default":
        given.append(f"--namespace={namespace}")
    # With `=` a value may begin with a dash; after `--` an argument may.
    given += [f"{name}={value}" if value else name for name, value in options]
    if any(word.startswith("-") for word in words):
        given.append("--")
    return shlex.join([*given, *words])
