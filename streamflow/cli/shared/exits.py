"""Exit codes, and expected errors as one line. A stack trace means a fault of ours.

0  done
1  failed: the workflow, the command, or a worker
2  used wrongly: an unknown option, a file that cannot be read, a setting that makes no sense
3  not found: the workflow, its queue, or the namespace
4  no answer in time
5  nobody there: no address, or nothing answers at it
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamflow.service import RPCError


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    TIMEOUT = 4
    UNREACHABLE = 5


class CommandError(Exception):
    """Ends a command: the message for a person, and the exit code."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


def run(argv: Sequence[str]) -> int:
    """The command's exit code; its expected errors are printed to stderr as one line."""
    import cyclopts

    from streamflow.cli.commands import app

    try:
        result = app(
            list(argv), exit_on_error=False, print_error=False, result_action="return_value"
        )
    except cyclopts.CycloptsError as error:
        return _say(f"{error}\nSee `streamflow --help`.", ExitCode.USAGE)
    except CommandError as error:
        return _say(str(error), error.code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more to say, not even at the end.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115  # stays open until the process ends
        return ExitCode.OK
    except Exception as error:
        expected = _expected(error)
        if expected is None:
            raise
        return _say(*expected)
    return result if isinstance(result, int) else ExitCode.OK


def _say(message: str, code: ExitCode) -> int:
    print(f"streamflow: {message}", file=sys.stderr)
    return code


def _expected(error: Exception) -> tuple[str, ExitCode] | None:
    """The line and code for an error that a user can do something about; ``None`` for a fault of ours."""
    from streamflow.app import AppConflict
    from streamflow.client import (
        HistoryFileError,
        NotYetError,
        RPCError,
        WorkflowAlreadyStartedError,
        WorkflowQueryFailedError,
        WorkflowQueryRejectedError,
    )
    from streamflow.config import AssertionsOff, NameTaken
    from streamflow.envconfig import ConfigError
    from streamflow.ports import LogError, StoreTaken, Unavailable
    from streamflow.topology import QueueMismatch, QueueMissing, UnsafeSettings

    match error:
        case RPCError():
            return error.message, code_of(error)
        case WorkflowAlreadyStartedError():
            return f"{error}: {error.workflow_id} (run {error.run_id})", ExitCode.FAILED
        case WorkflowQueryFailedError():
            return f"Query failed: {error.__cause__ or error}", ExitCode.FAILED
        case WorkflowQueryRejectedError():
            return str(error), ExitCode.FAILED
        case ConfigError() | HistoryFileError() | NotYetError() | AppConflict() | AssertionsOff():
            return str(error), ExitCode.USAGE
        case Unavailable():
            return str(error), ExitCode.UNREACHABLE
        case QueueMissing():
            return str(error), ExitCode.NOT_FOUND
        case QueueMismatch() | UnsafeSettings() | NameTaken() | StoreTaken() | LogError():
            return str(error), ExitCode.FAILED
        case _:
            return None


def code_of(error: RPCError) -> ExitCode:
    from streamflow.service import RPCStatusCode

    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return ExitCode.NOT_FOUND
        case RPCStatusCode.DEADLINE_EXCEEDED:
            return ExitCode.TIMEOUT
        case RPCStatusCode.UNAVAILABLE:
            return ExitCode.UNREACHABLE
        case RPCStatusCode.INVALID_ARGUMENT:
            return ExitCode.USAGE
        case _:
            return ExitCode.FAILED
