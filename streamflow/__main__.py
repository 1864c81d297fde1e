"""``python -m streamflow`` is the command line."""

from streamflow.cli import main

main()
