"""Faces as clients hand them in again: read before, by the service or by the page."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from emotion_dj.domain import Emotion
from emotion_dj.json_types import JsonObject
from emotion_dj.web.validation import Body

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Size = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class ReadFace(Body):
    """One face as `/readings` returned it; what is not needed for a set is not looked at."""

    box: Annotated[
        tuple[Place, Place, Size, Size],
        Field(strict=False, description="x, y, width and height in pixels"),
    ]
    emotions: Annotated[
        dict[str, Share],
        Field(
            min_length=1,
            max_length=100,
            json_schema_extra={"propertyNames": {"enum": list(Emotion)}},
        ),
    ]
    abstained: bool = False
    score: float | None = None
    emotion: Annotated[str | None, Field(max_length=40)] = None
    turned: float | None = None
    reasons: Annotated[list[JsonObject], Field(default_factory=list, max_length=20)]


class Readings(Body):
    """Faces that were read elsewhere, as by a phone that is the eye of another screen; none says
    that nobody is to be seen.
    """

    faces: Annotated[list[ReadFace], Field(max_length=100)]


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
