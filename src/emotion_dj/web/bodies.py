"""The bodies of requests, checked, as the OpenAPI document tells them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from emotion_dj.affect import PLANS
from emotion_dj.domain import Emotion, Mood
from emotion_dj.json_types import JsonObject
from emotion_dj.web.read_faces import ReadFace, Resting
from emotion_dj.web.validation import Body, mistake


def _whole(value: Any) -> Any:
    """Take 3.0 for 3, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE: Final = BeforeValidator(_whole)
TrackId = Annotated[int, Field(ge=1, le=2**53), WHOLE]

NUMBER: Final = r"-?(0?\.[0-9]{1,9}|0|1)"
POINT: Final = rf"{NUMBER},{NUMBER}"
PLACE: Final = rf"({'|'.join(Mood)}|{POINT})"
PLAN: Final = (
    rf"^({'|'.join(PLANS)}|journey:({PLACE})?(\.\.{PLACE}){{1,6}}(\.\.)?|journey:{PLACE}\.\.)$"
)
"""The spellings that the document promises; the service understands more."""

STARTS: Final = {
    "faces": "array",
    "emotion": "string",
    "mood": "string",
    "affect": "string",
    "say": "string",
    "like": "integer",
}

CONDITION: Final = r"^(genre|year|artist|album|folder):.*\S.*$"
Conditions = Annotated[
    list[Annotated[str, Field(min_length=3, max_length=300, pattern=CONDITION)]],
    Field(default_factory=list, max_length=50),
]
"""Conditions as `ranking.filters` reads them, but for playlists, which would open any file here."""

FACE: Final[JsonObject] = {
    "box": [190, 60, 120, 160],
    "score": 0.97,
    "emotion": "happy",
    "abstained": False,
    "emotions": {"happy": 0.94, "neutral": 0.04, "surprise": 0.02},
    "turned": 0,
    "reasons": [],
}


def example(**fields: Any) -> ConfigDict:
    """Return the settings of a body that shows one example of itself in the document."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class SetRequest(Body):
    """What the listener wants; one of faces, emotion, mood, affect, say and like says from where.

    ``say`` is in the listener's own words; ``like`` is the number of a song whose kind is wanted.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"mood": "calm", "plan": "lift", "n": 5},
                {"faces": [FACE], "plan": "match"},
                {"affect": "0.5,-0.2", "plan": "journey:..happy", "sources": ["demo"]},
                {"say": "tired, but I want something warm", "minutes": 30},
                {"like": 1, "plan": "calm", "avoid": ["genre:metal", "year:-1979"]},
            ],
            "oneOf": [
                {"required": [name], "properties": {name: {"type": kind}}}
                for name, kind in STARTS.items()
            ],
        },
    )

    faces: Annotated[list[ReadFace] | None, Field(min_length=1, max_length=100)] = None
    resting: Resting | None = None
    emotion: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=40,
            description="One of the seven, in any usual spelling",
            json_schema_extra={"enum": [*Emotion, None]},
        ),
    ] = None
    mood: Annotated[
        str | None,
        Field(min_length=1, max_length=40, json_schema_extra={"enum": [*Mood, None]}),
    ] = None
    affect: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=40,
            description="A point of the plane: valence,arousal, each from -1 to 1",
            json_schema_extra={"pattern": f"^{POINT}$"},
        ),
    ] = None
    say: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=300,
            description="In words of English, German, French or Spanish; what was understood is "
            "told by the notes `understood_is` and `understood_wants`",
        ),
    ] = None
    like: Annotated[
        TrackId | None, Field(description="A song to begin from; it is not in the set itself")
    ] = None
    only: Annotated[
        Conditions,
        Field(description="One condition about each field has to fit: genre:rock, year:1990-1999"),
    ]
    avoid: Annotated[Conditions, Field(description="None of these may fit")]
    minutes: Annotated[
        float | None, Field(ge=1, le=1000, description="How long, in place of n")
    ] = None
    plan: Annotated[
        str,
        Field(
            max_length=120,
            description=f"{', '.join(PLANS)}, or journey:FROM..VIA..TO",
            json_schema_extra={"pattern": PLAN},
        ),
    ] = "match"
    n: Annotated[int, Field(ge=1, le=200, description="How many songs"), WHOLE] = 10
    seed: Annotated[int, Field(ge=0, le=2**31), WHOLE] | None = None
    aggregate: Literal["room", "each"] = "room"
    sources: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]],
        Field(
            default_factory=list,
            max_length=100,
            description="Names as /sources tells them; none means all",
        ),
    ]

    @model_validator(mode="after")
    def _one_start(self) -> SetRequest:
        if sum(getattr(self, name) is not None for name in STARTS) != 1:
            *others, last = STARTS
            msg = f"say where you are in one way: {', '.join(others)} or {last}"
            raise mistake(msg)
        if self.resting is not None and self.faces is None:
            msg = "a resting face needs faces beside it, read without it"
            raise mistake(msg)
        return self


class PlaylistEntry(Body):
    """A song of a set that was made before, and why it was picked, in the words it was told in."""

    id: TrackId
    reason: Annotated[str, Field(max_length=500)] = ""


class PlaylistRequest(Body):
    """A set that was made before, in its order: what is saved is then what was shown."""

    model_config = example(songs=[{"id": 1, "reason": "bright and lively"}])

    songs: Annotated[list[PlaylistEntry], Field(min_length=1, max_length=200)]
    plan: Annotated[str, Field(max_length=80, json_schema_extra={"pattern": PLAN})] = "match"


def _form(body: Any) -> str:
    return "(songs)" if isinstance(body, dict) and "songs" in body else "(wish)"


ExportRequest = Annotated[
    Annotated[SetRequest, Tag("(wish)")] | Annotated[PlaylistRequest, Tag("(songs)")],
    Discriminator(_form),
]
"""The body of what is saved: a set of before, else a wish; so that a mistake is one of its own."""


class Taste(Body):
    """What the listener did with a track."""

    model_config = example(track=1, kind="like")

    track: TrackId
    kind: Annotated[
        Literal["like", "unlike", "skip", "play"],
        Field(description="unlike takes the last like back"),
    ]


class Start(Body):
    """Songs to be started on a device, by its id or, where it is empty, the active one."""

    model_config = example(tracks=[1, 2], device="")

    tracks: Annotated[list[TrackId], Field(min_length=1, max_length=200)]
    device: Annotated[str, Field(max_length=200)] = ""


class Correction(Body):
    """What was read of the listener's face, and the emotion that they say instead."""

    model_config = example(face=FACE, emotion="neutral")

    face: ReadFace
    emotion: Annotated[
        str,
        Field(min_length=1, max_length=40, json_schema_extra={"enum": list(Emotion)}),
    ]
