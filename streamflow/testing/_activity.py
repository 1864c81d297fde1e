"""Where code that was ported may look for `ActivityEnvironment`; its home is `streamflow.testing`."""

from __future__ import annotations

from streamflow.testing.activity_environment import ActivityEnvironment

__all__ = ["ActivityEnvironment"]
