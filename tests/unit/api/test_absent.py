"""Code that imports messages of a server's API can be loaded; using one says what to do instead."""

from __future__ import annotations

import pytest


def test_a_message_can_be_imported_but_not_made() -> None:
    from streamflow.api.workflowservice.v1 import DescribeNamespaceRequest

    with pytest.raises(NotImplementedError, match="DescribeNamespaceRequest"):
        DescribeNamespaceRequest(namespace="default")


def test_other_names_are_missing_as_ever() -> None:
    import streamflow.api.workflowservice.v1 as module

    with pytest.raises(AttributeError, match="no attribute 'something'"):
        _ = module.something
