"""``streamflow doctor``: what is wrong with a namespace, its log and this machine, and the commands that mend it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.operating.topology import Dev, Kafka, Namespace, Profile, Queues, _with_log
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data
from streamflow.cli.shared.progress import Progress

if TYPE_CHECKING:
    from streamflow.doctor import Finding, Verification
    from streamflow.model.queues import QueueEntry
    from streamflow.ports import Log

MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def doctor(
    *,
    verify: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Read every history, and check each run's chain of events and its fold.",
        ),
    ] = False,
    partition: Annotated[
        list[int] | None, Parameter(help="With --verify: only this partition; again for the next.")
    ] = None,
    queue: Queues = None,
    state_dir: Annotated[
        Path | None, Parameter(help="Where local state is kept. Default: as `streamflow worker`.")
    ] = None,
    dev: Dev = False,
    output: Form = "table",
    namespace: Namespace = "default",
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Looks for what is wrong, and says what mends it. Exits with 1 when there is a problem; changes nothing."""
    if partition and not verify:
        raise CommandError("Expected --verify with --partition", ExitCode.USAGE)
    names = queue or []

    def look(log: Log) -> tuple[list[Finding], list[Verification]]:
        from streamflow.doctor import examine

        findings = examine(log, namespace, names, dev=dev, state_dir=state_dir)
        read = _verify(log, namespace, names, partition) if verify else []
        return findings, read

    findings, read = _with_log(kafka, profile, look)
    findings += [one for verification in read for one in _findings_of(verification)]
    if output != "table":
        facts = {
            "findings": [_fields(finding) for finding in findings],
            "verified": [_counts(verification) for verification in read],
        }
        print_data(facts, output)
    else:
        _print(findings)
    problems = sum(finding.severity.value == "problem" for finding in findings)
    if output == "table":
        print(f"\n{problems} problems." if problems else "\nNo problem was found.")
    return ExitCode.FAILED if problems else ExitCode.OK


def _verify(
    log: Log, namespace: str, names: list[str], partitions: list[int] | None
) -> list[Verification]:
    from streamflow import topology
    from streamflow.doctor import verify

    known = topology.read_queues(log, namespace)
    chosen = [known[name] for name in (names or sorted(known)) if known[name].kind == "workflow"]
    for entry in chosen:
        _check_partitions(entry, partitions)
    read: list[Verification] = []
    for entry in chosen:
        with Progress(f"queue {entry.name}: records read") as progress:
            read.append(verify(log, namespace, entry, partitions=partitions, told=progress.add))
    return read


def _check_partitions(entry: QueueEntry, partitions: list[int] | None) -> None:
    for number in partitions or []:
        if not 0 <= number < entry.partitions:
            raise CommandError(
                f"Expected a partition from 0 to {entry.partitions - 1} of queue {entry.name!r}, found {number}",
                ExitCode.USAGE,
            )


def _findings_of(read: Verification) -> list[Finding]:
    from streamflow.doctor import repair
    from streamflow.doctor.findings import fine, problem

    subject = f"queue {read.queue}"
    found = [
        problem(
            f"workflow {run.workflow_id}, run {run.run_id}",
            f"{run.broken.kind} at event {run.broken.seq} (offset {run.broken.offset}): {run.broken.message}. "
            f"{run.sound} events are sound; it is left alone, its partition goes on",
            " or ".join(repair(read.namespace, read.queue, run)),
        )
        for run in read.broken
    ]
    found += [
        problem(subject, said, "docs/operations.md, 'What doctor --verify finds'")
        for said in read.problems
    ]
    if not found:
        message = f"{read.records} records are sound: {read.events} events of {read.runs} runs, {read.open_runs} of them open"
        found.append(fine(subject, message))
    return found


def _fields(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": finding.message,
        "command": finding.command,
    }


def _counts(read: Verification) -> dict[str, Any]:
    return {
        "queue": read.queue,
        "records": read.records,
        "events": read.events,
        "runs": read.runs,
        "open_runs": read.open_runs,
        "foreign": read.foreign,
        "broken": [
            {
                "workflow_id": run.workflow_id,
                "run_id": run.run_id,
                "kind": run.broken.kind,
                "seq": run.broken.seq,
                "offset": run.broken.offset,
                "message": run.broken.message,
                "sound": run.sound,
                "last_step": run.last_step,
            }
            for run in read.broken
        ],
        "problems": read.problems,
    }


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        print(f"{MARKS[finding.severity.value]:<8} {finding.subject}: {finding.message}")
        if finding.command:
            print(f"{'':<8} -> {finding.command}")
