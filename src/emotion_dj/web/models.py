"""The bodies of requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]


class ReadFace(BaseModel):
    """One face as `/readings` returned it; only box and emotions are looked at."""

    box: Annotated[
        list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=4, max_length=4)
    ]
    emotions: dict[str, Share]
    abstained: bool = False


class Wish(BaseModel):
    """What the listener wants; exactly one of faces, emotion, mood and at says where they are."""

    faces: Annotated[list[ReadFace] | None, Field(max_length=100)] = None
    emotion: Annotated[str | None, Field(max_length=40, examples=["sad"])] = None
    mood: Annotated[str | None, Field(max_length=40, examples=["calm"])] = None
    at: Annotated[str | None, Field(max_length=40, examples=["0.5,-0.2"])] = None
    plan: Annotated[str, Field(max_length=80, examples=["match", "journey:..happy"])] = "match"
    length: Annotated[int, Field(ge=1, le=200)] = 10
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    serve: Literal["room", "each"] = "room"

    @model_validator(mode="after")
    def _one_start(self) -> Wish:
        given = [x for x in (self.faces, self.emotion, self.mood, self.at) if x]
        if len(given) != 1:
            msg = "say where you are in one way: faces, emotion, mood or at"
            raise ValueError(msg)
        return self


class Taste(BaseModel):
    """What the listener did with a track."""

    track: Annotated[int, Field(ge=1, le=2**53)]
    kind: Literal["like", "skip", "play"]


class Correction(BaseModel):
    """What was read of the listener's face, and what they say instead."""

    face: ReadFace
    emotion: Annotated[str, Field(max_length=40, examples=["calm"])]
