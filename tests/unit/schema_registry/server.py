"""A schema registry that listens on the loopback address: subjects, numbers, and the rule BACKWARD for fields of records.

As Confluent documents its API: a schema is the text of its canonical JSON, a number belongs to a text, subjects have versions.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

MEDIA: Final = "application/vnd.schemaregistry.v1+json"


class SchemaRegistry:
    """What it has been told, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.subjects: dict[str, list[str]] = {}
        self.numbers: dict[str, int] = {}
        self.busy = 0
        """So many requests are answered with 503 first."""
        self.wants = ""
        """``user:password`` that it asks for; empty for none."""
        self.asked: list[str] = []

    def put(self, subject: str, schema: dict[str, Any]) -> int:
        text = _text(schema)
        versions = self.subjects.setdefault(subject, [])
        if text not in versions:
            versions.append(text)
        return self.numbers.setdefault(text, len(self.numbers) + 1)

    def answer(self, path: str, schema: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        url = urlsplit(path)
        match [unquote(part) for part in url.path.split("/")[1:]]:
            case ["subjects", subject]:
                return self._look_up(subject, _text(schema))
            case ["subjects", subject, "versions"]:
                if self._missing(subject, schema):
                    return 409, {"error_code": 409, "message": "incompatible"}
                return 200, {"id": self.put(subject, schema)}
            case ["compatibility", "subjects", subject, "versions", "latest"]:
                if subject not in self.subjects:
                    return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
                missing = self._missing(subject, schema)
                verbose = parse_qs(url.query).get("verbose") == ["true"]
                found: dict[str, Any] = {"is_compatible": not missing}
                return 200, found | ({"messages": missing} if verbose else {})
            case _:
                return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _look_up(self, subject: str, text: str) -> tuple[int, dict[str, Any]]:
        if subject not in self.subjects:
            return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
        if text not in self.subjects[subject]:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"subject": subject, "id": self.numbers[text], "schema": text}

    def _missing(self, subject: str, schema: dict[str, Any]) -> list[str]:
        """Fields without a default that the latest schema does not have: its records could not be read."""
        versions = self.subjects.get(subject)
        if not versions:
            return []
        known = {field["name"] for field in json.loads(versions[-1])["fields"]}
        return [
            f"READER_FIELD_MISSING_DEFAULT_VALUE: {field['name']}"
            for field in schema["fields"]
            if field["name"] not in known and "default" not in field
        ]


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, sort_keys=True)


@contextmanager
def schema_registry() -> Iterator[SchemaRegistry]:
    registry = SchemaRegistry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            registry.asked.append(self.path)
            status, found = self._answer(body)
            told = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", MEDIA)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def _answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
            if registry.busy:
                registry.busy -= 1
                return 503, {"error_code": 50003, "message": "busy"}
            basic = f"Basic {base64.b64encode(registry.wants.encode()).decode()}"
            if registry.wants and self.headers["Authorization"] != basic:
                return 401, {"error_code": 401, "message": "Unauthorized"}
            if self.headers["Content-Type"] != MEDIA:
                return 415, {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"}
            return registry.answer(self.path, json.loads(json.loads(body)["schema"]))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    registry.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
