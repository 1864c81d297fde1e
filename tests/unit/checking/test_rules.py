"""Each trap is found in workflow code, and what resembles it is not."""

from __future__ import annotations

import textwrap

import pytest

from streamflow.checking import CODES, check_source

HEAD = """
import asyncio, datetime, glob, os, pathlib, random, secrets, socket, subprocess, threading, time, uuid
import datetime as dt
import requests
from datetime import datetime as when
from datetime import timedelta
from streamflow import activity, workflow
from streamflow.workflow import execute_activity

BOUND = 1

@activity.defn
def act() -> None: ...
"""


def codes(body: str, *, head: str = HEAD) -> list[str]:
    """The codes found in a run method with this body."""
    source = head + "@workflow.defn\nclass W:\n    @workflow.run\n    async def run(self):\n"
    return [finding.code for finding in check_source(source + textwrap.indent(body, " " * 8))]


FOUND = {
    "time.time()": "SF001",
    "time.monotonic_ns()": "SF001",
    "datetime.datetime.now()": "SF001",
    "dt.datetime.utcnow()": "SF001",
    "when.now()": "SF001",
    "datetime.date.today()": "SF001",
    "random.random()": "SF002",
    "random.Random().random()": "SF002",
    "secrets.token_hex()": "SF002",
    "os.urandom(4)": "SF002",
    "uuid.uuid4()": "SF003",
    "uuid.uuid1()": "SF003",
    "threading.Thread(target=print).start()": "SF004",
    "subprocess.run(['ls'])": "SF004",
    "await asyncio.to_thread(len, [])": "SF004",
    "os.system('ls')": "SF004",
    "socket.create_connection(('x', 1))": "SF005",
    "requests.get('http://x')": "SF005",
    "await asyncio.open_connection('x', 1)": "SF005",
    "open('x').close()": "SF006",
    "pathlib.Path('x').read_text()": "SF006",
    "glob.glob('*')": "SF006",
    "time.sleep(1)": "SF007",
    "input()": "SF007",
    "for x in {1, 2}: pass": "SF008",
    "for x in set([1]): pass": "SF008",
    "[x for x in frozenset([1])]": "SF008",
    "list({x for x in [1]})": "SF008",
    "global BOUND\nBOUND = 2": "SF009",
    "await workflow.execute_activity(act)": "SF010",
    "await execute_activity(act, 1)": "SF010",
    "await workflow.execute_local_activity_method(act, args=[])": "SF010",
    "workflow.execute_activity(act, start_to_close_timeout=timedelta(1))": "SF011",
    "workflow.sleep(1)": "SF011",
    "asyncio.sleep(1)": "SF011",
    "workflow.wait_condition(lambda: True)": "SF011",
    "await asyncio.wait([])": "SF012",
    "asyncio.as_completed([])": "SF012",
    "os.environ['X']": "SF015",
    "os.environ.get('X')": "SF015",
    "os.getenv('X')": "SF015",
    "try:\n    pass\nexcept BaseException:\n    pass": "SF016",
    "try:\n    pass\nexcept:\n    pass": "SF016",
    "print('x')": "SF019",
}


@pytest.mark.parametrize(("body", "code"), FOUND.items(), ids=list(FOUND))
def test_a_trap_is_found(body: str, code: str) -> None:
    assert codes(body) == [code]


FINE = [
    "workflow.now()",
    "workflow.random().random()",
    "random.Random(7).random()",
    "workflow.uuid4()",
    "uuid.uuid5(uuid.NAMESPACE_DNS, 'x')",
    "datetime.datetime(2020, 1, 1)",
    "datetime.datetime.fromisoformat('2020-01-01')",
    "await asyncio.sleep(1)",
    "await workflow.wait([])",
    "async with asyncio.timeout(1): pass",
    "await workflow.execute_activity(act, start_to_close_timeout=timedelta(1))",
    "await workflow.execute_activity(act, **{})",
    "handle = workflow.start_activity(act, schedule_to_close_timeout=timedelta(1))",
    "for x in sorted({1, 2}): pass",
    "for x in [1]: pass",
    "1 in {1, 2}",
    "len(set([1]))",
    "try:\n    pass\nexcept BaseException:\n    raise",
    "try:\n    pass\nexcept Exception:\n    pass",
    "with workflow.unsafe.sandbox_unrestricted():\n    print(time.time())",
    "time.time  # only looked at",
    "self.open('x')",
]


@pytest.mark.parametrize("body", FINE)
def test_what_replays_alike_is_not(body: str) -> None:
    assert codes(body) == []


def classes(body: str) -> list[str]:
    return [finding.code for finding in check_source(HEAD + textwrap.dedent(body))]


def test_handlers_are_of_their_kind() -> None:
    """Run methods are async, queries and validators are not."""
    found = classes("""
        @workflow.defn
        class W:
            @workflow.run
            def run(self): ...
            @workflow.query
            async def ask(self): ...
            @workflow.update
            async def change(self): ...
            @change.validator
            async def check(self): ...
            @workflow.signal
            def tell(self, seen=[]): ...
    """)

    assert found == ["SF013", "SF018", "SF018", "SF014"]


def test_functions_that_workflow_code_calls_are_workflow_code() -> None:
    """Of the same file, however deep; activities and what nobody calls are not."""
    found = classes("""
        def deep(): return time.time()
        def helper(): return deep()
        def unused(): return time.time()

        @activity.defn
        def look(): return time.time()

        @workflow.defn
        class W:
            @workflow.run
            async def run(self):
                look()
                return helper()

        class Other:
            def method(self): return time.time()
    """)

    assert found == ["SF001"]


def test_names_that_the_guards_cannot_see_are_told() -> None:
    head = HEAD.replace("import requests", "from time import time as clock, sleep")

    assert codes("clock()", head=head) == ["SF017", "SF017", "SF001"]


def test_unguarded_workflows_answer_for_themselves() -> None:
    source = HEAD + textwrap.dedent("""
        @workflow.defn(sandboxed=False)
        class W:
            @workflow.run
            async def run(self): return time.time()
    """)

    assert check_source(source) == []


def test_a_comment_allows_a_code_on_its_line_or_for_its_file() -> None:
    """Only the codes that it names."""
    assert codes("time.time()  # streamflow: allow SF001") == []
    assert codes("# streamflow: allow SF001, SF002\ntime.time(); random.random()") == []
    assert codes("time.time()  # streamflow: allow SF002") == ["SF001"]
    assert codes("x = [\n    1,\n    time.time(),\n]  # streamflow: allow SF001") == ["SF001"]

    head = "# streamflow: allow SF001\n" + HEAD
    assert codes("time.time()", head=head) == []


def test_code_for_the_model_is_checked_as_well() -> None:
    """Before it is ported."""
    head = HEAD.replace("streamflow", "temporalio")

    assert codes("time.time()\nawait workflow.execute_activity(act)", head=head) == [
        "SF001",
        "SF010",
    ]


def test_every_code_is_found_by_some_test() -> None:
    """A new code comes with its trap."""
    tested = {*FOUND.values(), "SF013", "SF014", "SF017", "SF018"}

    assert tested == set(CODES)
