"""Texts with places in braces, filled from a JSON body and from headers: ``build-{repository.name}``, ``{header:x-id}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self, cast

import msgspec

_PLACE = re.compile(r"\{([^{}]*)\}")
_NAMED = re.compile(r"header:[A-Za-z0-9-]+|[^\s{}:.]+(?:\.[^\s{}:.]+)*")


class TemplateError(Exception):
    """A text that is no template, or a body that lacks what it names."""


class Template(msgspec.Struct, frozen=True):
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `TemplateError` for braces with something else in them than a path or a header."""
        if any(brace in _PLACE.sub("", text) for brace in "{}"):
            raise TemplateError(f"Expected braces in pairs, found {text!r}")
        for name in _PLACE.findall(text):
            if not _NAMED.fullmatch(name):
                raise TemplateError(
                    f"Expected a path such as {{repository.name}} or {{header:x-id}}, found {{{name}}}"
                )
        return cls(text)

    def filled(self, body: Any, headers: Mapping[str, str], *, or_none: bool = False) -> str:
        """The text. With ``or_none`` it is empty where something is missing, which else raises `TemplateError`."""
        try:
            return _PLACE.sub(lambda place: _value(place.group(1), body, headers), self.text)
        except TemplateError:
            if or_none:
                return ""
            raise


def _value(name: str, body: object, headers: Mapping[str, str]) -> str:
    if name.startswith("header:"):
        found: object = headers.get(name.removeprefix("header:").lower())
    else:
        found = body
        for part in name.split("."):
            if isinstance(found, list):
                index = int(part) if part.isascii() and part.isdigit() else -1
                several = cast("list[object]", found)
                found = several[index] if 0 <= index < len(several) else None
            else:
                found = (
                    cast("dict[str, object]", found).get(part) if isinstance(found, dict) else None
                )
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise TemplateError(f"Expected a text or a whole number at {{{name}}}, found none")
    return str(found)
