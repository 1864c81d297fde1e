"""What a schedule starts."""

from __future__ import annotations

import pytest

from streamflow.client import ScheduleActionStartWorkflow


@pytest.mark.parametrize(
    "given", [{}, {"id": "w"}, {"task_queue": "q"}, {"id": "", "task_queue": "q"}]
)
def test_what_a_schedule_starts_has_an_id_and_a_queue(given: dict[str, str]) -> None:
    """Which of the two is missing is not said by Python's own check of arguments."""
    with pytest.raises(ValueError, match="ID and task queue required"):
        ScheduleActionStartWorkflow("Anything", **given)  # type: ignore[call-overload]
