"""What workflow code may not use, with what to use instead; `guard` does the refusing."""

from __future__ import annotations

NOW = "use workflow.now() or workflow.time(), which replay alike"
SLEEP = "use await workflow.sleep(), a durable timer"
CHANCE = "use workflow.random(), which replays alike"
IO = "do input and output in an activity"
THREADS = "use asyncio tasks, or do the work in an activity"
SETTINGS = "take settings as arguments, or read them in an activity"

CLOCKS: dict[str, str] = {
    **dict.fromkeys(("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"), NOW),
    **dict.fromkeys(("perf_counter_ns", "process_time", "localtime", "gmtime", "ctime"), NOW),
    "sleep": SLEEP,
}
TAKE_A_TIME = frozenset({"localtime", "gmtime", "ctime"})
"""With an argument these only convert."""
CHANCES = [
    "betavariate",
    "choice",
    "choices",
    "expovariate",
    "gammavariate",
    "gauss",
    "getrandbits",
    "lognormvariate",
    "normalvariate",
    "paretovariate",
    "randbytes",
    "randint",
    "random",
    "randrange",
    "sample",
    "seed",
    "shuffle",
    "triangular",
    "uniform",
    "vonmisesvariate",
    "weibullvariate",
]
SECRETS = ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe")
AUDITED: dict[str, str] = {
    **dict.fromkeys(("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"), IO),
    **dict.fromkeys(("os.rmdir", "os.truncate", "shutil.copyfile", "shutil.rmtree"), IO),
    **dict.fromkeys(("socket.__new__", "socket.connect", "socket.getaddrinfo"), IO),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"), IO),
    **dict.fromkeys(("os.fork", "os.forkpty", "os.spawn"), "run other processes from an activity"),
    "_thread.start_new_thread": THREADS,
}
"""Events of the interpreter's audit; the last one is raised from Python 3.12 on, so threads are patched as well."""

REFUSED: frozenset[str] = frozenset(
    {
        *(f"time.{name}" for name in CLOCKS),
        *(f"random.{name}" for name in CHANCES),
        *(f"secrets.{name}" for name in SECRETS),
        *(name for name in AUDITED if name != "open"),
        *("__builtins__.open", "uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getcwd", "os.getenv"),
        *("datetime.datetime.now", "datetime.datetime.utcnow"),
        *("datetime.date.today", "glob.glob", "glob.iglob", "threading.Thread.start"),
        *("threading.current_thread", "concurrent.futures.ThreadPoolExecutor"),
        "concurrent.futures.ProcessPoolExecutor",
    }
)
"""Everything that is refused, by its full name."""
