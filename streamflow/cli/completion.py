"""``streamflow completion``: the script with which a shell completes commands, options and names."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from streamflow.cli.shared.exits import ExitCode


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="Whose script.")], /
) -> int:
    """Prints the script with which a shell completes `streamflow`: commands, options, workflow types, IDs, queues.

    bash: eval "$(streamflow completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc, after compinit. fish: streamflow completion
    fish > ~/.config/fish/completions/streamflow.fish.
    """
    from streamflow.cli.commands import app

    print(app.generate_completion(shell=shell), end="")
    if shell == "zsh":
        # In a file of a function path its first line does this; read by eval, nothing would.
        print("compdef _cyclopts_streamflow streamflow")
    return ExitCode.OK
