"""The bodies of requests, checked, and of answers, as the OpenAPI document tells them.

Answers are not checked at run time: a contract test holds `wire` and this page together.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from emotion_dj.affect import PLANS
from emotion_dj.domain import Emotion, Mood
from emotion_dj.web.validation import Body, mistake

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Axis = Annotated[float, Field(ge=-1, le=1)]
Place = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Size = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


def _whole(value: Any) -> Any:
    """Take 3.0 for 3, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE: Final = BeforeValidator(_whole)
TrackId = Annotated[int, Field(ge=1, le=2**53), WHOLE]

NUMBER: Final = r"-?(0?\.[0-9]{1,9}|0|1)"
POINT: Final = rf"{NUMBER},{NUMBER}"
PLACE: Final = rf"({'|'.join(Mood)}|{POINT})"
PLAN: Final = rf"^({'|'.join(PLANS)}|journey:({PLACE}\.\.({PLACE})?|\.\.{PLACE}))$"
"""The spellings that the document promises; the service understands more."""

STARTS: Final = {"faces": "array", "emotion": "string", "mood": "string", "affect": "string"}

_FACE: Final[dict[str, Any]] = {
    "box": [190, 60, 120, 160],
    "score": 0.97,
    "emotion": "happy",
    "abstained": False,
    "emotions": {"happy": 0.94, "neutral": 0.04, "surprise": 0.02},
    "turned": 0,
    "reasons": [],
}
_AFFECT: Final = {"valence": 0.77, "arousal": 0.49, "uncertainty": 0.12}
_TRACK: Final = {
    "uri": "file:///music/happy.ogg",
    "title": "Happy",
    "artists": ["Somebody"],
    "album": "An album",
    "duration": 181.2,
}


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


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
    reasons: Annotated[list[dict[str, Any]], Field(default_factory=list, max_length=20)]


class SetRequest(Body):
    """What the listener wants; one of faces, emotion, mood and affect says where they are."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"mood": "calm", "plan": "lift", "n": 5},
                {"faces": [_FACE], "plan": "match"},
                {"affect": "0.5,-0.2", "plan": "journey:..happy", "sources": ["demo"]},
            ],
            "oneOf": [
                {"required": [name], "properties": {name: {"type": kind}}}
                for name, kind in STARTS.items()
            ],
        },
    )

    faces: Annotated[list[ReadFace] | None, Field(min_length=1, max_length=100)] = None
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
    plan: Annotated[
        str,
        Field(
            max_length=80,
            description=f"{', '.join(PLANS)}, or journey:FROM..TO",
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
            msg = "say where you are in one way: faces, emotion, mood or affect"
            raise mistake(msg)
        return self


class PlaylistEntry(Body):
    """A song of a set that was made before, and why it was picked, in the words it was told in."""

    id: TrackId
    reason: Annotated[str, Field(max_length=500)] = ""


class PlaylistRequest(Body):
    """A set that was made before, in its order: what is saved is then what was shown."""

    model_config = _example(songs=[{"id": 1, "reason": "bright and lively"}])

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

    model_config = _example(track=1, kind="like")

    track: TrackId
    kind: Annotated[
        Literal["like", "unlike", "skip", "play"],
        Field(description="unlike takes the last like back"),
    ]


class Start(Body):
    """Songs to be started on a device, by its id or, where it is empty, the active one."""

    model_config = _example(tracks=[1, 2], device="")

    tracks: Annotated[list[TrackId], Field(min_length=1, max_length=200)]
    device: Annotated[str, Field(max_length=200)] = ""


class Correction(Body):
    """What was read of the listener's face, and the emotion that they say instead."""

    model_config = _example(face=_FACE, emotion="neutral")

    face: ReadFace
    emotion: Annotated[
        str,
        Field(min_length=1, max_length=40, json_schema_extra={"enum": list(Emotion)}),
    ]


class Problem(BaseModel):
    """A problem document (RFC 9457); ``detail`` is one sentence that says what to do."""

    model_config = _example(
        type="urn:emotion-dj:no-face",
        code="no_face",
        title="No face",
        status=422,
        detail="no face found: try a photo with more light, nearer and facing the camera",
    )

    type: Annotated[str, Field(pattern="^urn:emotion-dj:")]
    code: Annotated[str, Field(description="What a client puts into words")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str


class Affect(BaseModel):
    """A point of the plane, and in [0, 1] how far off it may be."""

    valence: Axis
    arousal: Axis
    uncertainty: Share


class Code(BaseModel):
    """Why, as a code; the values that go with it stand beside it."""

    model_config = ConfigDict(extra="allow")

    code: str


class Face(BaseModel):
    """A face and its reading; the box is x, y, width and height in pixels.

    ``turned`` is by how many degrees clockwise the photo has to be turned to set the face upright;
    ``reasons`` are codes of what makes the reading less certain (mouth_hidden, cut_off, low_score).
    """

    box: Annotated[list[int], Field(min_length=4, max_length=4)]
    score: float
    emotion: Emotion
    abstained: bool
    emotions: dict[Emotion, Share]
    turned: int
    reasons: list[Code]


class PhotoAnalysis(BaseModel):
    """What was seen in a photo, the largest face first."""

    model_config = _example(faces=[_FACE], affect=_AFFECT, model="face-5")

    faces: list[Face]
    affect: Affect
    model: str


class Track(BaseModel):
    """What is known of a track."""

    model_config = _example(id=1, **_TRACK)

    id: int
    uri: str
    title: str
    artists: list[str]
    album: str
    duration: float | None


class Message(Code):
    """A code with its values, and the same in English."""

    text: str


class Pick(Track):
    """A track chosen for a set, with addresses of its sound and its cover, and the reason.

    ``stream`` is null where the sound is not to be had; ``embed`` is then the page of the service's
    own player, where it has one.
    """

    model_config = _example(
        id=1,
        **_TRACK,
        affect=_AFFECT,
        mood="happy",
        tempo=118.0,
        key=0,
        mode=1,
        loudness=-14.2,
        score=0.9,
        reasons=[{"code": "character", "words": ["bright", "lively"]}, {"code": "taste"}],
        reason="you look happy: bright and lively, much to your taste",
        stream="/api/v1/tracks/1/stream",
        embed=None,
        cover="/api/v1/tracks/1/cover",
    )

    affect: Affect
    mood: Mood
    tempo: float | None
    key: int | None
    mode: int | None
    loudness: Annotated[float | None, Field(description="LUFS, by which players level songs")]
    score: float
    reasons: list[Code]
    reason: str
    stream: str | None
    embed: str | None
    cover: str


class Music(BaseModel):
    """A set: the picks in playing order, and the path that they follow."""

    plan: str
    affect: Affect
    path: list[Affect]
    opening: Message
    picks: list[Pick]
    notes: list[Message]


class Device(BaseModel):
    """A device of the listener's on which a service can play."""

    id: str
    name: str
    active: bool


class Devices(BaseModel):
    """The devices that are there now, the active one first."""

    devices: list[Device]


class Source(BaseModel):
    """A source of music: how many of its tracks may be picked, and whether it takes sets now."""

    model_config = _example(name="subsonic", tracks=812, writable=True)

    name: str
    tracks: int
    writable: bool


class Sources(BaseModel):
    """Every source that may be named."""

    sources: list[Source]


class Tracks(BaseModel):
    """Tracks that were found."""

    tracks: list[Track]


class ScanState(BaseModel):
    """How far a scan is."""

    running: bool
    done: int
    total: int


class Library(BaseModel):
    """How much music there is, where it stands on the plane, and how a scan goes."""

    tracks: int
    points: list[Annotated[list[Axis], Field(min_length=2, max_length=2)]]
    scan: ScanState
    failed: list[str]
    problem: str


class Started(BaseModel):
    """A scan is running."""

    running: Literal[True]


class ScanEvent(BaseModel):
    """One server-sent event; its data is the state of the scan as JSON."""

    event: Literal["progress", "done"]
    data: str


class LiveEvent(BaseModel):
    """One server-sent event; its data is a look as JSON, and empty where nobody is to be seen."""

    event: Literal["reading", "nobody"]
    data: str


class Health(BaseModel):
    """The service is up."""

    status: Literal["ok"]
    version: str
    models: list[str]


class About(BaseModel):
    """The words that clients need, and the cards of what reads faces and hears music."""

    emotions: dict[Emotion, list[Axis]]
    moods: dict[Mood, list[Axis]]
    plans: list[str]
    card: dict[str, Any]
    audio_model: dict[str, Any]
