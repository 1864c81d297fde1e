"""What a function's signature says about converting its arguments and its result."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from streamflow.common import RawValue

RAW_VALUES: tuple[Any, ...] = (
    Sequence[RawValue],
    typing.Sequence[RawValue],
    list[RawValue],
)  # also the old spelling
"""Hints of the parameter that takes a message's values as they came."""


class Signature(NamedTuple):
    """Hints for the positional parameters (``self`` left out) and the result; ``None`` where nothing is said."""

    arguments: tuple[Any, ...]
    result: Any
    required: int
    """How many positional parameters have no default."""
    variadic: bool
    """Whether it takes ``*args``."""


def signature_of(function: Callable[..., Any], *, method: bool) -> Signature:
    """Reads a function; ``method`` leaves its first parameter out. Hints that do not resolve count as absent."""
    parameters = list(inspect.signature(function).parameters.values())
    if method:
        parameters = parameters[1:]
    positional = [
        parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    hints = _hints(function)
    return Signature(
        arguments=tuple(hints.get(parameter.name) for parameter in positional),
        result=hints.get("return"),
        required=sum(parameter.default is parameter.empty for parameter in positional),
        variadic=any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters),
    )


def refuse_keyword_only(function: Callable[..., Any], what: str) -> None:
    """Arguments travel by position: a parameter that can only be given by name could never be given."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise TypeError(
                f"Expected {what} to take positional parameters only, found keyword-only {parameter.name!r}"
            )


def refuse_dynamic_parameters(function: Callable[..., Any], *, method: bool) -> None:
    """A dynamic handler takes the message's name and its values as they came: (str, Sequence[RawValue]).

    Raises:
        RuntimeError: this one takes something else. An older form with ``*args`` in the second's place is let pass.
    """
    parameters = list(inspect.signature(function).parameters.values())[1 if method else 0 :]
    signature = signature_of(function, method=method)
    if signature.variadic and len(parameters) == 2:
        return
    if len(parameters) == 2 and not signature.variadic:
        name, values = signature.arguments
        named = name is str or _unresolved(parameters[0], name)
        if named and takes_raw_values(parameters[1], values):
            return
    shown = inspect.signature(function)
    raise RuntimeError(
        f"Expected a dynamic handler, which must have 3 arguments (self, str and Sequence[RawValue]), found "
        f"{function.__qualname__}{shown}"
    )


def takes_raw_values(parameter: inspect.Parameter, hint: Any) -> bool:
    """Whether this parameter takes a message's values as they came, as far as its hint can be understood."""
    return hint in RAW_VALUES or _unresolved(parameter, hint)


def _unresolved(parameter: inspect.Parameter, hint: Any) -> bool:
    return hint is None and parameter.annotation is not parameter.empty


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except Exception:
        # A hint may name what exists only for type checkers; values then stay as decoded.
        return _resolvable_hints(function)


def _resolvable_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The hints that resolve one by one."""
    found: dict[str, Any] = {}
    function = inspect.unwrap(function)
    module_names = getattr(function, "__globals__", {})
    for name, hint in getattr(function, "__annotations__", {}).items():
        try:
            stand_in = type("_", (), {"__annotations__": {name: hint}})
            found.update(
                typing.get_type_hints(stand_in, globalns=module_names, include_extras=True)
            )
        except Exception:  # the unresolvable one is left out, the others count
            continue
    return found
