"""Which functions of a file are workflow code: methods of workflow classes, and what they call of the same file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streamflow.checking.names import api_name

Function = ast.FunctionDef | ast.AsyncFunctionDef
_HANDLERS = ("workflow.run", "workflow.signal", "workflow.query", "workflow.update")


@dataclass(frozen=True)
class WorkflowClass:
    """One class with ``@workflow.defn``."""

    node: ast.ClassDef
    methods: tuple[Function, ...]


def workflow_classes(tree: ast.Module, imports: Mapping[str, str]) -> list[WorkflowClass]:
    """Those that are not ``sandboxed=False``: who says that answers for it."""
    return [
        WorkflowClass(node, tuple(item for item in node.body if isinstance(item, Function)))
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and _is_workflow(node, imports)
    ]


def workflow_code(
    tree: ast.Module, classes: list[WorkflowClass], imports: Mapping[str, str]
) -> list[Function]:
    """Every function that workflow code is in, each once. Activities are none, even where they are called directly."""
    plain = {node.name: node for node in tree.body if isinstance(node, Function)}
    found: dict[Function, None] = {}
    waiting = [method for cls in classes for method in cls.methods]
    while waiting:
        function = waiting.pop(0)
        if function in found or _is_activity(function, imports):
            continue
        found[function] = None
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = plain.get(node.func.id)
                if called is not None:
                    waiting.append(called)
    return list(found)


def role_of(function: Function, imports: Mapping[str, str]) -> str:
    """``run``, ``signal``, ``query``, ``update``, ``validator``, or empty."""
    for name in _decorators(function, imports):
        if name in _HANDLERS:
            return name.partition(".")[2]
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr == "validator":
            return "validator"
    return ""


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """All nodes of a function, those of functions within it too: they run when it calls them."""
    for statement in function.body:
        yield from ast.walk(statement)


def _is_workflow(node: ast.ClassDef, imports: Mapping[str, str]) -> bool:
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if api_name(call, imports) == "workflow.defn":
            return not (isinstance(decorator, ast.Call) and _unguarded(decorator))
    return False


def _unguarded(call: ast.Call) -> bool:
    return any(
        keyword.arg == "sandboxed"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is False
        for keyword in call.keywords
    )


def _is_activity(function: Function, imports: Mapping[str, str]) -> bool:
    return "activity.defn" in _decorators(function, imports)


def _decorators(function: Function, imports: Mapping[str, str]) -> list[str]:
    nodes = [
        decorator.func if isinstance(decorator, ast.Call) else decorator
        for decorator in function.decorator_list
    ]
    return [name for node in nodes if (name := api_name(node, imports))]
