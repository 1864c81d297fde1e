"""A graph of what workflow code does, and how it is written for those who draw: Mermaid and DOT."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["start", "activity", "timer", "wait", "child", "message", "choice", "end", "failure"]
_MERMAID: dict[Kind, tuple[str, str]] = {
    "start": ("([", "])"),
    "activity": ("[", "]"),
    "timer": ("{{", "}}"),
    "wait": ("[/", "/]"),
    "child": ("[[", "]]"),
    "message": (">", "]"),
    "choice": ("{", "}"),
    "end": ("([", "])"),
    "failure": ("([", "])"),
}
_DOT: dict[Kind, str] = {
    "start": "oval",
    "activity": "box",
    "timer": "hexagon",
    "wait": "parallelogram",
    "child": "component",
    "message": "cds",
    "choice": "diamond",
    "end": "oval",
    "failure": "oval",
}
_ESCAPES = {"&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;", "#": "&#35;", "\n": "<br/>"}


@dataclass(frozen=True)
class Node:
    kind: Kind
    label: str
    line: int = 0
    """Of the source; 0 where there is none."""


@dataclass
class Graph:
    """Nodes by their numbers, and the ways between them."""

    nodes: list[Node] = field(default_factory=list[Node])
    edges: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    """What is said of the way from one to another; the first word stands."""

    def add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def connect(self, begin: int, end: int, label: str = "") -> None:
        self.edges.setdefault((begin, end), label)


def to_mermaid(graph: Graph) -> str:
    """A flow chart, as Markdown of many places shows it."""
    lines = ["flowchart TD"]
    for number, node in enumerate(graph.nodes):
        left, right = _MERMAID[node.kind]
        lines.append(f'    n{number}{left}"{_escaped(node.label)}"{right}')
    for (begin, end), label in graph.edges.items():
        said = f'|"{_escaped(label)}"|' if label else ""
        lines.append(f"    n{begin} -->{said} n{end}")
    return "\n".join(lines) + "\n"


def to_dot(graph: Graph) -> str:
    """For Graphviz: ``dot -Tsvg``."""
    lines = ["digraph workflow {", "    node [fontname=sans-serif]; edge [fontname=sans-serif];"]
    for number, node in enumerate(graph.nodes):
        lines.append(f"    n{number} [shape={_DOT[node.kind]}, label={_dot_text(node.label)}];")
    for (begin, end), label in graph.edges.items():
        said = f" [label={_dot_text(label)}]" if label else ""
        lines.append(f"    n{begin} -> n{end}{said};")
    return "\n".join([*lines, "}"]) + "\n"


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _dot_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
