"""The limits that ship, with the entries that a test changes."""

from __future__ import annotations

from alpamayo_ros.limits import Limits, load_limits


def limits(**changes: float) -> Limits:
    """Validated like the file: a warning beyond its limit is refused here too."""
    return Limits.model_validate({**load_limits().model_dump(), **changes})
