"""What is wrong with workflow code: each rule yields the node, the code and the message of what it finds."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from streamflow.checking.calls import PATH_METHODS, forbidden
from streamflow.checking.names import api_name, full_name
from streamflow.checking.scopes import Function, WorkflowClass, own_nodes, role_of

Found = tuple[ast.AST, str, str]
_BUILTINS: Final = ("open", "print", "input", "breakpoint")
_FORMS = ("activity", "activity_class", "activity_method")
_ACTIVITIES: Final = frozenset(
    f"workflow.{verb}_{local}{form}"
    for verb in ("start", "execute")
    for local in ("", "local_")
    for form in _FORMS
)
_AWAITED: Final = frozenset(
    {
        *(name for name in _ACTIVITIES if ".execute_" in name),
        *("workflow.execute_child_workflow", "workflow.start_child_workflow"),
        *("workflow.sleep", "workflow.wait_condition", "workflow.wait", "asyncio.sleep"),
    }
)
_GUARDED_BY_NAME: Final = ("time.", "random.", "secrets.")
_MUTABLE: Final = (ast.List, ast.Dict, ast.Set)


def of_module(tree: ast.Module, imports: Mapping[str, str]) -> Iterator[Found]:
    """What is wrong before any function is looked at: names that the guards cannot see."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "random", "secrets"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if forbidden(name):
                    yield (
                        node,
                        "SF017",
                        f"imports {name} by name, which the guards cannot see where it was imported first; import the "
                        f"module: import {node.module}",
                    )


def of_class(cls: WorkflowClass, imports: Mapping[str, str]) -> Iterator[Found]:
    for method in cls.methods:
        role = role_of(method, imports)
        is_async = isinstance(method, ast.AsyncFunctionDef)
        if role == "run" and not is_async:
            yield method, "SF013", f"run method {method.name} is not async; write async def"
        if role in ("query", "validator") and is_async:
            yield (
                method,
                "SF018",
                f"{role} {method.name} is async, and may not wait for anything; write def",
            )


def of_function(function: Function, imports: Mapping[str, str]) -> Iterator[Found]:
    """Everything within one function of workflow code."""
    yield from _mutable_defaults(function)
    globals_: set[str] = set()
    free = _unrestricted(function, imports)
    for node in own_nodes(function):
        if node in free:
            continue
        match node:
            case ast.Call():
                yield from _call(node, imports)
            case ast.Expr(value=ast.Call() as call):
                yield from _not_awaited(call, imports)
            case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if _is_set(iterated):
                yield (
                    iterated,
                    "SF008",
                    "goes through a set, whose order is another in each process; sort it, or use a dict or list",
                )
            case ast.Global(names=names):
                globals_.update(names)
                yield (
                    node,
                    "SF009",
                    f"changes the global {', '.join(names)}, which other runs share and replay changes again; keep it in self",
                )
            case ast.Subscript(value=value) if full_name(value, imports) == "os.environ":
                yield (
                    node,
                    "SF015",
                    "reads os.environ; take settings as arguments, or read them in an activity",
                )
            case ast.ExceptHandler(type=caught) if _catches_everything(node, caught):
                yield (
                    node,
                    "SF016",
                    "catches BaseException and goes on: that swallows cancellation, and how streamflow ends code; catch "
                    "Exception, or raise again",
                )
            case _:
                pass


def _call(call: ast.Call, imports: Mapping[str, str]) -> Iterator[Found]:
    name = full_name(call.func, imports)
    if name is None and isinstance(call.func, ast.Name) and call.func.id in _BUILTINS:
        name = call.func.id
    if name is not None:
        found = forbidden(name)
        if found is not None and not _harmless(name, call):
            yield call, found[0], f"calls {name}(); {found[1]}"
    elif isinstance(call.func, ast.Attribute) and call.func.attr in PATH_METHODS:
        yield (
            call,
            "SF006",
            f"calls {call.func.attr}(), which reads or writes a file; do it in an activity",
        )
    api = api_name(call.func, imports)
    if api in _ACTIVITIES and _lacks_timeout(call):
        yield (
            call,
            "SF010",
            f"calls {api}() without schedule_to_close_timeout or start_to_close_timeout; give one",
        )
    yield from _set_argument(call)


def _harmless(name: str, call: ast.Call) -> bool:
    """``random.Random(seed)`` is; without a seed it is not."""
    return name == "random.Random" and bool(call.args)


def _lacks_timeout(call: ast.Call) -> bool:
    names = [keyword.arg for keyword in call.keywords]
    return None not in names and not {"schedule_to_close_timeout", "start_to_close_timeout"} & {
        *names
    }


def _not_awaited(call: ast.Call, imports: Mapping[str, str]) -> Iterator[Found]:
    name = api_name(call.func, imports) or full_name(call.func, imports)
    if name in _AWAITED:
        yield call, "SF011", f"calls {name}() and does not await it, so nothing happens; await it"


def _set_argument(call: ast.Call) -> Iterator[Found]:
    """``list({...})`` and the like: the order of the set is made one of a list."""
    if (
        isinstance(call.func, ast.Name)
        and call.func.id in ("list", "tuple", "enumerate", "iter")
        and call.args
        and _is_set(call.args[0])
    ):
        yield (
            call,
            "SF008",
            f"makes a {call.func.id} of a set, whose order is another in each process; use sorted()",
        )


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("set", "frozenset")
    )


def _mutable_defaults(function: Function) -> Iterator[Found]:
    for default in (*function.args.defaults, *function.args.kw_defaults):
        if isinstance(default, _MUTABLE):
            yield (
                default,
                "SF014",
                f"default of {function.name} is one object for all runs; use None, and make it in the function",
            )


def _catches_everything(handler: ast.ExceptHandler, caught: ast.expr | None) -> bool:
    everything = caught is None or (isinstance(caught, ast.Name) and caught.id == "BaseException")
    return everything and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def _unrestricted(function: Function, imports: Mapping[str, str]) -> set[ast.AST]:
    """What stands inside of ``workflow.unsafe.sandbox_unrestricted()``, or is only done when not replaying."""
    free: set[ast.AST] = set()
    for node in own_nodes(function):
        if isinstance(node, ast.With | ast.AsyncWith) and any(
            isinstance(item.context_expr, ast.Call)
            and api_name(item.context_expr.func, imports) == "workflow.unsafe.sandbox_unrestricted"
            for item in node.items
        ):
            for statement in node.body:
                free.update(ast.walk(statement))
    return free
