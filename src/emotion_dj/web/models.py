"""The bodies of answers, as the OpenAPI document tells them.

They are not checked at run time: a contract test holds `wire` and this page together.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from emotion_dj.domain import Emotion, Mood
from emotion_dj.json_types import JsonObject
from emotion_dj.web.bodies import FACE, example
from emotion_dj.web.read_faces import Share

Axis = Annotated[float, Field(ge=-1, le=1)]


_AFFECT: Final = {"valence": 0.77, "arousal": 0.49, "uncertainty": 0.12}
_TRACK: Final = {
    "uri": "file:///music/happy.ogg",
    "title": "Happy",
    "artists": ["Somebody"],
    "album": "An album",
    "duration": 181.2,
}


class Problem(BaseModel):
    """A problem document (RFC 9457); ``detail`` is one sentence that says what to do."""

    model_config = example(
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

    model_config = example(faces=[FACE], affect=_AFFECT, model="face-6")

    faces: list[Face]
    affect: Affect
    model: str


class Track(BaseModel):
    """What is known of a track."""

    model_config = example(id=1, **_TRACK)

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

    model_config = example(
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


class Listener(BaseModel):
    """All that is kept of a listener: what they did with songs, and how they were misread."""

    listener: str
    feedback: list[JsonObject]
    corrections: list[JsonObject]


class Devices(BaseModel):
    """The devices that are there now, the active one first."""

    devices: list[Device]


class Source(BaseModel):
    """A source of music: how many of its tracks may be picked, and whether it takes sets now."""

    model_config = example(name="subsonic", tracks=812, writable=True)

    name: str
    tracks: int
    writable: bool


class Sources(BaseModel):
    """Every source that may be named."""

    sources: list[Source]


class Written(BaseModel):
    """The playlist that a set was written to: its address, or the server's name, and how many of
    the set's songs are on it; ``where`` says so in English.
    """

    model_config = example(
        name="Emotion-DJ",
        place="navidrome",
        songs=10,
        total=10,
        where="playlist 'Emotion-DJ' on navidrome",
    )

    name: str
    place: str
    songs: int
    total: int
    where: str


class Tracks(BaseModel):
    """Tracks that were found."""

    tracks: list[Track]


class ScanState(BaseModel):
    """How far a scan is; one of another replica (``elsewhere``) is waited for, and not counted."""

    running: bool
    elsewhere: bool
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
