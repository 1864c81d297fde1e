"""Options that many functions take alike, as ``**options`` with a TypedDict: named to whoever looks at a signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ForwardRef, TypeVar, cast

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def shows(options: type, defaults: Mapping[str, object]) -> Callable[[FunctionT], FunctionT]:
    """A decorator: `inspect.signature` then has each option with its default in place of ``**options``.

    An option that is neither among the defaults nor ``Required`` has the default ``None``. How the function is called stays the same.
    """

    def decorate(function: FunctionT) -> FunctionT:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        named = [
            _parameter(name, annotation, defaults)
            for name, annotation in options.__annotations__.items()
        ]
        cast("Any", function).__signature__ = signature.replace(parameters=[*own, *named])
        return function

    return decorate


def _parameter(name: str, annotation: object, defaults: Mapping[str, object]) -> inspect.Parameter:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else str(annotation)
    # Under `from __future__ import annotations` a TypedDict does not know by itself which of its keys are required.
    required = text.startswith("Required[")
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else defaults.get(name),
        annotation=text.removeprefix("Required[").removesuffix("]") if required else text,
    )
