"""What to do about a letter, by its reason."""

from __future__ import annotations

from streamflow.dead_letters.letters import Letter, Reason, State


def advice(letter: Letter) -> str:
    """For a person, in a sentence or two."""
    if letter.state is State.REDRIVEN:
        return (
            "It was re-driven. If that did not help there is a newer letter that names it as its first; --again sends "
            "this one once more."
        )
    if letter.state is State.DISCARDED:
        return "It was put away; --again re-drives it all the same."
    if letter.whole_bytes:
        return (
            f"Only the beginning of {letter.whole_bytes} bytes is kept, so it cannot be re-driven: have its sender send "
            "it again, smaller, with large data stored elsewhere. Then: streamflow dlq purge "
            + str(letter.id)
        )
    again = f"streamflow dlq redrive {letter.id}"
    match letter.reason:
        case Reason.UNREADABLE if not letter.workflow_id:
            return f"If you know for whom it was: {again} --key WORKFLOW_ID. Else have its sender mend its key."
        case Reason.UNREADABLE:
            return (
                "Nothing will ever read it as it is: have its sender send it again as docs/inbox.md says, then put this "
                f"one away: streamflow dlq purge {letter.id}. If a later release reads it: {again}"
            )
        case Reason.ADDRESS:
            return (
                f"Is the workflow there by now: {again}. Was the ID mistyped: {again} --key WORKFLOW_ID. "
                f"Is it over for good: streamflow dlq purge {letter.id}"
            )
        case Reason.PLACEMENT:
            return f"Re-driving puts it where its workflow lives: {again}"
        case Reason.ENGINE:
            return (
                "streamflow could not go on with the workflow: look at it with `streamflow workflow describe "
                f"{letter.workflow_id}`, and when it moves again: {again}"
            )
        case Reason.QUARANTINED:
            return (
                f"The history of workflow {letter.workflow_id!r} is broken: `streamflow doctor --verify` says where, and the "
                f"command to go on from before that. Then: {again}"
            )
        case Reason.QUOTA:
            return f"The queue had no room for another workflow. When it has: {again}"
        case Reason.OTHER:
            return "Another program wrote it. What names no topic of a queue of this namespace cannot be re-driven."
