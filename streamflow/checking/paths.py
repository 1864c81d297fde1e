"""The ways that a workflow's code can go, read from its source: what it asks for, in which order, and where it chooses.

Only what reaches the outside is a node: activities, timers, waits, children, messages. A choice or loop is shown where such
things, or an end, are within it. Methods and functions of the same file are followed where they are called; what is in
other files is not. Where an exception is caught, the way to the handler begins at the `try`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streamflow.checking.graph import Graph, Kind, Node
from streamflow.checking.names import api_name, imports_of
from streamflow.checking.scopes import Function, WorkflowClass, role_of, workflow_classes

LABEL_MAX = 60
_NESTED_MAX = 20
"""Calls into calls that are followed."""

_KINDS: dict[str, tuple[Kind, str]] = {
    **{
        f"workflow.{verb}_{local}activity{form}": ("activity", "local activity " if local else "")
        for verb in ("start", "execute")
        for local in ("", "local_")
        for form in ("", "_class", "_method")
    },
    "workflow.sleep": ("timer", "sleep "),
    "workflow.wait_condition": ("wait", "until "),
    "workflow.execute_child_workflow": ("child", ""),
    "workflow.start_child_workflow": ("child", "start "),
    "workflow.continue_as_new": ("end", "continue as new"),
}
_HANDLES = (
    "workflow.get_external_workflow_handle",
    "workflow.get_external_workflow_handle_for",
    "workflow.start_child_workflow",
)
_TOGETHER = ("asyncio.gather", "workflow.gather")
Ends = list[tuple[int, str]]
"""Where the code is now: nodes that the next one follows, each with what is said of the way."""


class NoWorkflow(ValueError):
    """The source has no workflow of that name; the message names those it has."""


def graph_of(source: str, workflow: str | None = None, path: str = "<source>") -> Graph:
    """The graph of a workflow class by its name; of the only one when left out.

    Raises:
        NoWorkflow: there is none, or not one.
        SyntaxError: the source is no Python.
    """
    tree = ast.parse(source, path)
    imports = imports_of(tree)
    classes = {cls.node.name: cls for cls in workflow_classes(tree, imports)}
    if workflow is None and len(classes) == 1:
        [workflow] = classes
    if workflow is None or workflow not in classes:
        known = ", ".join(classes) or "none"
        wanted = repr(workflow) if workflow else "one"
        raise NoWorkflow(f"Expected a workflow {wanted} in {path}, found {known}")
    plain = {node.name: node for node in tree.body if isinstance(node, Function)}
    return _Reader(classes[workflow], plain, imports).read()


@dataclass
class _Loop:
    head: int
    breaks: Ends = field(default_factory=list[tuple[int, str]])


class _Reader:
    def __init__(
        self, cls: WorkflowClass, plain: Mapping[str, Function], imports: Mapping[str, str]
    ) -> None:
        self._graph = Graph()
        self._class = cls
        self._methods = {method.name: method for method in cls.methods}
        self._plain = dict(plain)
        self._imports = imports
        self._loops: list[_Loop] = []
        self._handles: set[str] = set()
        """Names that stand for another workflow."""
        self._calls: list[Function] = []
        self._returns: list[Ends] = []
        """Of the functions that are being followed; the run method's own lead to the end."""

    def read(self) -> Graph:
        run = next(
            (one for one in self._class.methods if role_of(one, self._imports) == "run"), None
        )
        name = self._class.node.name
        if run is None:
            raise NoWorkflow(f"Expected a run method in workflow {name!r}, found none")
        start = self._graph.add(Node("start", name, run.lineno))
        ends = self._call(run, [(start, "")])
        if ends:
            self._node(Node("end", "completed"), ends)
        return self._graph

    # -- statements -----------------------------------------------------------------------------------------------

    def _call(self, function: Function, ends: Ends) -> Ends:
        self._calls.append(function)
        self._returns.append([])
        loops, self._loops = self._loops, []
        ends = self._block(function.body, ends)
        self._loops = loops
        self._calls.pop()
        return ends + self._returns.pop()

    def _block(self, statements: Iterable[ast.stmt], ends: Ends) -> Ends:
        for statement in statements:
            if not ends:
                break  # nothing comes here
            ends = self._statement(statement, ends)
        return ends

    def _statement(self, statement: ast.stmt, ends: Ends) -> Ends:
        match statement:
            case ast.If():
                return self._if(statement, ends)
            case ast.While() | ast.For() | ast.AsyncFor():
                return self._loop(statement, ends)
            case ast.Try() | ast.TryStar():
                return self._try(statement, ends)
            case ast.Match():
                return self._match(statement, ends)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    ends = self._expression(item.context_expr, ends)
                return self._block(statement.body, ends)
            case ast.Return():
                ends = self._expression(statement.value, ends)
                self._returns[-1] += ends
                return []
            case ast.Raise():
                ends = self._expression(statement.exc, ends)
                if ends:
                    self._node(Node("failure", _raised(statement), statement.lineno), ends)
                return []
            case ast.Break() if self._loops:
                self._loops[-1].breaks += ends
                return []
            case ast.Continue() if self._loops:
                self._connect(ends, self._loops[-1].head)
                return []
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._plain[statement.name] = statement
                return ends
            case ast.ClassDef():
                return ends
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._is_handle(value):
                self._handles.add(name)
                return self._children(statement, ends)
            case _:
                return self._children(statement, ends)

    def _if(self, statement: ast.If, ends: Ends) -> Ends:
        ends = self._expression(statement.test, ends)
        if not self._matters([*statement.body, *statement.orelse]):
            return ends
        choice = self._node(Node("choice", _text(statement.test), statement.lineno), ends)[0][0]
        yes = self._block(statement.body, [(choice, "yes")])
        no = self._block(statement.orelse, [(choice, "no")])
        return yes + no

    def _loop(self, statement: ast.While | ast.For | ast.AsyncFor, ends: Ends) -> Ends:
        endless = False
        if isinstance(statement, ast.While):
            label = f"while {_text(statement.test)}"
            endless = isinstance(statement.test, ast.Constant) and bool(statement.test.value)
            within: list[ast.AST] = [statement.test, *statement.body]
        else:
            ends = self._expression(statement.iter, ends)
            label = f"for {_text(statement.target)} in {_text(statement.iter)}"
            within = [*statement.body]
        if not self._matters(within):
            return self._block(statement.orelse, ends)
        head = self._node(Node("choice", label, statement.lineno), ends)[0][0]
        loop = _Loop(head)
        self._loops.append(loop)
        inside: Ends = [(head, "" if endless else "again")]
        if isinstance(statement, ast.While):
            inside = self._expression(statement.test, inside)
        self._connect(self._block(statement.body, inside), head)
        self._loops.pop()
        done: Ends = [] if endless else [(head, "done")]
        return self._block(statement.orelse, done) + loop.breaks

    def _try(self, statement: ast.Try | ast.TryStar, ends: Ends) -> Ends:
        if not self._matters([statement]):
            return ends
        handlers = [one for one in statement.handlers if self._matters(one.body)]
        begin: Ends = ends
        if handlers:
            begin = self._node(Node("choice", "try", statement.lineno), ends)
        ends = self._block(statement.orelse, self._block(statement.body, begin))
        for handler in handlers:
            caught = _text(handler.type) if handler.type is not None else "any error"
            ends = ends + self._block(handler.body, [(begin[0][0], caught)])
        return self._block(statement.finalbody, ends)

    def _match(self, statement: ast.Match, ends: Ends) -> Ends:
        ends = self._expression(statement.subject, ends)
        if not self._matters([part for case in statement.cases for part in case.body]):
            return ends
        node = Node("choice", _text(statement.subject), statement.lineno)
        choice = self._node(node, ends)[0][0]
        found: Ends = []
        for case in statement.cases:
            found += self._block(case.body, [(choice, _text(case.pattern))])
        last = statement.cases[-1]
        everything = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        return found if everything and last.guard is None else [*found, (choice, "none of them")]

    # -- expressions ----------------------------------------------------------------------------------------------

    def _expression(self, node: ast.AST | None, ends: Ends) -> Ends:
        """In the order in which Python evaluates: what a call is given comes before the call."""
        match node:
            case None | ast.Lambda():
                return ends
            case ast.Call() if self._name(node.func) in _TOGETHER:
                branches = [self._expression(argument, ends) for argument in node.args]
                found = [end for branch in branches for end in branch]
                return list(dict.fromkeys(found)) or ends
            case ast.Call():
                return self._called(node, self._children(node, ends))
            case _:
                return self._children(node, ends)

    def _children(self, node: ast.AST, ends: Ends) -> Ends:
        for child in ast.iter_child_nodes(node):
            if ends:
                ends = self._expression(child, ends)
        return ends

    def _called(self, call: ast.Call, ends: Ends) -> Ends:
        name = self._name(call.func)
        kind = _KINDS.get(name)
        if kind is not None:
            label = _label(kind[1], call, has_name=kind[0] != "end")
            ends = self._node(Node(kind[0], label, call.lineno), ends)
            return [] if kind[0] == "end" else ends
        if name == "asyncio.sleep":
            label = _label("sleep ", call, has_name=True)
            return self._node(Node("timer", label, call.lineno), ends)
        if self._is_message(call):
            return self._node(Node("message", _text(call.func), call.lineno), ends)
        function = self._function(call.func)
        if function is None or function in self._calls or len(self._calls) > _NESTED_MAX:
            return ends
        return self._call(function, ends)

    def _function(self, called: ast.expr) -> Function | None:
        match called:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return self._methods.get(name)
            case ast.Name(id=name):
                return self._plain.get(name)
            case _:
                return None

    def _is_message(self, call: ast.Call) -> bool:
        """Whether it speaks to another workflow: by a handle that was made right there, or under a name."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("signal", "cancel"):
            return False
        handle = call.func.value
        return self._is_handle(handle) or (
            isinstance(handle, ast.Name) and handle.id in self._handles
        )

    def _is_handle(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Await):
            node = node.value
        return isinstance(node, ast.Call) and self._name(node.func) in _HANDLES

    def _name(self, called: ast.expr) -> str:
        match called:
            case ast.Attribute(value=ast.Name(id="asyncio"), attr=name):
                return f"asyncio.{name}"
            case _:
                return api_name(called, self._imports) or ""

    # -- the graph ------------------------------------------------------------------------------------------------

    def _matters(self, nodes: Iterable[ast.AST]) -> bool:
        """Whether something within is a node, or leaves."""
        for node in nodes:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return | ast.Raise | ast.Break | ast.Continue):
                    return True
                if isinstance(inner, ast.Call) and self._reaches_out(inner):
                    return True
        return False

    def _reaches_out(self, call: ast.Call) -> bool:
        name = self._name(call.func)
        if name in _KINDS or name == "asyncio.sleep":
            return True
        if self._is_message(call):
            return True
        function = self._function(call.func)
        if function is None or function in self._calls:
            return False
        self._calls.append(function)
        found = any(
            self._reaches_out(inner)
            for statement in function.body
            for inner in ast.walk(statement)
            if isinstance(inner, ast.Call)
        )
        self._calls.pop()
        return found

    def _node(self, node: Node, ends: Ends) -> Ends:
        number = self._graph.add(node)
        self._connect(ends, number)
        return [(number, "")]

    def _connect(self, ends: Ends, number: int) -> None:
        for end, label in ends:
            self._graph.connect(end, number, label)


def _label(before: str, call: ast.Call, *, has_name: bool) -> str:
    if not has_name or not call.args:
        return (before or _text(call.func)).strip()
    first = call.args[0]
    match first:
        case ast.Lambda():
            told = _text(first.body)
        case ast.Attribute(value=owner, attr="run"):
            told = _text(owner)
        case ast.Attribute():
            told = first.attr
        case ast.Constant(value=str(text)):
            told = text
        case _:
            told = _text(first)
    return _cut(before + told)


def _raised(statement: ast.Raise) -> str:
    match statement.exc:
        case None:
            return "the error goes on"
        case ast.Call(func=called):
            return f"raise {_text(called)}"
        case _:
            return f"raise {_text(statement.exc)}"


def _text(node: ast.AST) -> str:
    return _cut(ast.unparse(node))


def _cut(text: str) -> str:
    return text if len(text) <= LABEL_MAX else text[: LABEL_MAX - 1] + "…"
