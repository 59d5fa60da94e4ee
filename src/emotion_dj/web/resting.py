"""A resting face as it is sent: as a form field beside a photo, or in the body beside faces."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from emotion_dj.domain import Emotion

Resting = Annotated[
    dict[str, Annotated[float, Field(allow_inf_nan=False)]],
    Field(
        max_length=100,
        description="The listener's own calm face as it was read, a probability for each of the "
        "seven that sum to 1: the first face counts as it differs from that",
        json_schema_extra={
            "propertyNames": {"enum": list(Emotion)},
            "required": list(Emotion),
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        },
    ),
]
"""What it is stands in `vision.resting`, which checks it: the sum is beyond JSON Schema."""

ALONE: Final = "a resting face needs faces beside it, read without it"
