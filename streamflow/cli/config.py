"""``streamflow config show|list``: the settings that commands go by, and where each comes from."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared import dev_file
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_list, show_rows

Profile = Annotated[
    str | None, Parameter(help="Profile of the configuration file. Default: STREAMFLOW_PROFILE.")
]


def show_(
    *,
    origin: Annotated[
        bool, Parameter(negative=(), help="Say for each value which file or variable it is from.")
    ] = False,
    profile: Profile = None,
    output: Form = "table",
) -> int:
    """Shows the settings of a profile with what the environment changes. Secrets are masked."""
    from streamflow.envconfig.origins import Setting, profile_in_use, settings_of

    settings = [profile_in_use(profile), *settings_of(profile)]
    names = {setting.name for setting in settings}
    if "address" not in names:
        dev = dev_file.read()
        found = (dev.address, f"the running dev ({dev_file.path()})") if dev else (None, "nowhere")
        settings.append(Setting("address", *found))
    if "namespace" not in names:
        settings.append(Setting("namespace", "default", "default"))
    rows = [
        {"setting": setting.name, "value": setting.value, "origin": setting.origin}
        for setting in settings
    ]
    if origin and output != "table":
        print_data(rows, output)
    elif origin:
        show_rows("Settings", rows)
    else:
        show({setting.name: setting.value for setting in settings}, output)
    return ExitCode.OK


def list_(*, output: Form = "table") -> int:
    """Lists the profiles of the configuration file."""
    import os

    from streamflow.envconfig import ClientConfig
    from streamflow.envconfig.environment import Environment
    from streamflow.envconfig.origins import masked, profile_in_use
    from streamflow.envconfig.reading import config_file

    used = profile_in_use().value
    rows: list[dict[str, Any]] = [
        {
            "profile": name,
            "used": "*" if name == used else "",
            "address": masked("address", profile.address),
            "namespace": profile.namespace,
        }
        for name, profile in sorted(ClientConfig.load().profiles.items())
    ]
    file = config_file(Environment(os.environ))
    show_list(str(file), rows, output, none=f"There is no profile in {file}.")
    return ExitCode.OK
