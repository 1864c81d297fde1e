"""``streamflow search-attribute create|list|delete``: the search attributes that a namespace declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.output import Form, print_data, show_rows

if TYPE_CHECKING:
    from streamflow.client import Client

HERE = Connection()

Kind = Annotated[
    Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"],
    Parameter(name=["--type", "-t"], help="What its values are. Never changes."),
]


def create(name: str, /, *, type: Kind = "Keyword", connection: Connection = HERE) -> int:
    """Declares a search attribute.

    Parameters
    ----------
    name
        Its name.
    """

    async def call(client: Client) -> int:
        await client.transport.declare_search_attributes({name: type})
        return ExitCode.OK

    return called(connection, call)


def list_(*, output: Form = "table", connection: Connection = HERE) -> int:
    """Lists what is declared."""

    async def call(client: Client) -> int:
        found = await client.transport.search_attributes()
        if output != "table":
            print_data(dict(found), output)
        elif found:
            show_rows(
                "Search attributes", [{"name": name, "type": kind} for name, kind in found.items()]
            )
        else:
            print("None is declared.")
        return ExitCode.OK

    return called(connection, call)


def delete(name: str, /, *, connection: Connection = HERE) -> int:
    """Takes a declaration back; workflows keep their values.

    Parameters
    ----------
    name
        Its name.
    """

    async def call(client: Client) -> int:
        await client.transport.forget_search_attributes([name])
        return ExitCode.OK

    return called(connection, call)
