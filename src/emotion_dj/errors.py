"""Every error that Emotion-DJ raises on purpose, as one tree.

    EmotionDJError
    ├── InputError            what was handed in cannot be used
    │   ├── ImageError        not a photo that can be read
    │   ├── AudioError        not audio that can be decoded
    │   ├── LibraryError      a folder or playlist that yields no music
    │   ├── TagError          a file whose tags cannot be written
    │   ├── DataError         a table, data set or checkpoint of the wrong form
    │   │   └── RestingError  a resting face that is none
    │   └── LabelError        an emotion, mood or plan that nobody knows
    ├── NoFace                the photo is fine, nobody is in it
    ├── LowConfidence         a face is there, its expression cannot be told
    ├── SettingsError         a setting that is not valid
    ├── CatalogueError        the store is corrupt, locked or of another version
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

from emotion_dj import installation


class EmotionDJError(Exception):
    """Base of every error raised on purpose; ``str(error)`` is one sentence fit for a user."""


class InputError(EmotionDJError):
    """What was handed in cannot be used."""


class ImageError(InputError):
    """The bytes are not a photo that can be read within the limits."""


class AudioError(InputError):
    """The file or stream is not audio that can be decoded and measured."""


class LibraryError(InputError):
    """A folder or playlist yields no music."""


class TagError(InputError):
    """The tags of a file cannot be written; the file is as it was."""


class DataError(InputError):
    """A table, data set or checkpoint does not have the form that is asked for."""


class RestingError(DataError):
    """What was given as a resting face is none: no seven probabilities, a smile, several people."""


class LabelError(InputError):
    """A label (emotion, mood, plan) that is in no table; the message lists the known ones."""


class NoFace(EmotionDJError):
    """No face was found in the photo."""


class LowConfidence(EmotionDJError):
    """Faces were found, but every reading abstained."""


class SettingsError(EmotionDJError):
    """A setting has a value that is not valid; the message names where it was set."""


class CatalogueError(EmotionDJError):
    """The catalogue is corrupt, locked, or was written by another version."""


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
