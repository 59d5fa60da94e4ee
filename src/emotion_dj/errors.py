"""Every error that Emotion-DJ raises on purpose, as one tree.

    EmotionDJError
    ├── InputError            what was handed in cannot be used
    │   ├── ImageError        not a photo that can be read
    │   ├── AudioError        not audio that can be decoded
    │   ├── LibraryError      a folder or playlist that yields no music
    │   │   └── NothingLeft   conditions under which no song may be played
    │   ├── UnknownTrack      a song to begin from that is not to be found
    │   ├── TagError          a file whose tags cannot be written
    │   ├── DataError         a table, data set or checkpoint of the wrong form
    │   │   └── RestingError  a resting face that is none
    │   └── LabelError        an emotion, mood or plan that nobody knows
    │       ├── EmptyJourney  a journey that ends where it begins
    │       ├── NotUnderstood words that name no mood
    │       └── Contradiction words that pull apart
    ├── NoFace                the photo is fine, nobody is in it
    ├── LowConfidence         a face is there, its expression cannot be told
    ├── SettingsError         a setting that is not valid
    ├── CatalogueError        the store is corrupt, locked or of another version
    ├── PairingRefused        a device is not let in
    ├── ArtifactError         model weights missing, damaged or unlike their card
    │   └── MissingRuntime    what runs the models cannot be loaded
    ├── MissingExtra          an optional part is not installed
    └── SourceError           a music source did not do what was asked
        ├── LoginRequired     credentials are missing or no longer valid
        ├── NotAvailable      the service does not offer this (any more)
        └── RateLimited       asked too often; says when to come back

Each message is one sentence for the person who runs the program: what is wrong and what to do.
Errors of other libraries are translated where they are met and never pass a public function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emotion_dj import installation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EmotionDJError(Exception):
    """Base of every error raised on purpose; ``str(error)`` is one sentence fit for a user.

    ``values`` are what a client needs to put it into words of its own, as plain JSON.
    """

    values: Mapping[str, Any] = {}


class InputError(EmotionDJError):
    """What was handed in cannot be used."""


class ImageError(InputError):
    """The bytes are not a photo that can be read within the limits."""


class AudioError(InputError):
    """The file or stream is not audio that can be decoded and measured."""


class LibraryError(InputError):
    """A folder or playlist yields no music."""


class NothingLeft(LibraryError):
    """Conditions under which no song may be played."""

    def __init__(self, sentence: str, conditions: Sequence[str]) -> None:
        """Name the conditions, any of which would have been enough, that left nothing."""
        super().__init__(f"{sentence} {' or '.join(conditions)}: leave that out, or choose others")
        self.values = {"conditions": list(conditions)}


class UnknownTrack(InputError):
    """A song to begin from that is not to be found, or of which nothing tells how it sounds."""


class TagError(InputError):
    """The tags of a file cannot be written; the file is as it was."""


class DataError(InputError):
    """A table, data set or checkpoint does not have the form that is asked for."""


class RestingError(DataError):
    """What was given as a resting face is none: no seven probabilities, a smile, several people."""


class LabelError(InputError):
    """A label (emotion, mood, plan) that is in no table; the message lists the known ones."""


class EmptyJourney(LabelError):
    """A journey that ends where it begins."""


class NotUnderstood(LabelError):
    """Words that name no mood in any language that is understood."""


class Contradiction(LabelError):
    """Words that pull apart: nobody can say where between them the listener is."""

    def __init__(self, words: Sequence[str]) -> None:
        """Name the words, and ask."""
        named = " and ".join(f"'{word}'" for word in words)
        super().__init__(f"{named} pull apart: say which of them you mean")
        self.values = {"said": list(words)}


class NoFace(EmotionDJError):
    """No face was found in the photo."""


class LowConfidence(EmotionDJError):
    """Faces were found, but every reading abstained."""


class SettingsError(EmotionDJError):
    """A setting has a value that is not valid; the message names where it was set."""


class CatalogueError(EmotionDJError):
    """The catalogue is corrupt, locked, or was written by another version."""


class PairingRefused(EmotionDJError):
    """A device is not let in; ``retry_after`` is how many seconds it has to wait, 0 for none."""

    def __init__(self, message: str, *, retry_after: int = 0) -> None:
        """Keep when a new try makes sense beside the sentence for the user."""
        super().__init__(message)
        self.retry_after = retry_after


class ArtifactError(EmotionDJError):
    """Model weights are missing, damaged, or do not fit their card."""


class MissingRuntime(ArtifactError):
    """LiteRT, which runs the models, is not installed or does not load."""

    def __init__(self) -> None:
        """Say how it is put back; every installation brings it along."""
        cure = installation.mend("ai-edge-litert")
        super().__init__(f"LiteRT, which runs the models, cannot be loaded: run  {cure}")


class MissingExtra(EmotionDJError):
    """An optional part of Emotion-DJ is needed and not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        """Name the extra and what it is needed for; the message holds the line that adds it."""
        super().__init__(f"{purpose} needs an extra: run  {installation.for_extra(extra)}")
        self.extra = extra


class SourceError(EmotionDJError):
    """A music source could not do what was asked."""


class LoginRequired(SourceError):
    """Credentials are missing, expired or refused."""


class NotAvailable(SourceError):
    """The service does not offer this to us."""


class RateLimited(SourceError):
    """The service asks us to wait; ``retry_at`` is a POSIX time in seconds."""

    def __init__(self, message: str, *, retry_at: float) -> None:
        """Keep when a new try makes sense beside the sentence for the user."""
        super().__init__(message)
        self.retry_at = retry_at
