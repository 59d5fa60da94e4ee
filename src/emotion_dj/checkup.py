"""What of this installation is there and works, and the line that cures what does not.

Nothing here ends in an error, whatever is missing: it is asked when nothing else works. So it needs
the standard library alone until a check tries something, and a check that fails is its result.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from emotion_dj import __version__, installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LIBRARIES: Final[Mapping[str, tuple[str, str]]] = {
    "ai-edge-litert": ("ai_edge_litert.interpreter", "reading faces"),
    "alembic": ("alembic", "catalogues of earlier versions"),
    "click": ("click", "the command line"),
    "av": ("av", "hearing music"),
    "httpx": ("httpx", "music services"),
    "pathspec": ("pathspec", "ignore files"),
    "tinytag": ("tinytag", "tags"),
    "anyascii": ("anyascii", "names in other scripts"),
    "numpy": ("numpy", "everything"),
    "pillow": ("PIL.Image", "photos"),
    "platformdirs": ("platformdirs", "where the catalogue lies"),
    "rich": ("rich", "the command line"),
    "sqlalchemy": ("sqlalchemy", "the catalogue"),
    "typer": ("typer", "the command line"),
    "watchfiles": ("watchfiles", "new music is noticed"),
}
"""Library of the base -> (a module of it that loads its native code, what it is for)."""

EXTRAS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "demo": (("immich_memories_music",), "28 tracks to try it with"),
    "heic": (("pillow_heif",), "photos in HEIC, as iPhones take them"),
    "web": (("fastapi", "rjsmin", "uvicorn"), "the page and the HTTP service"),
    "lan": (("cryptography", "zeroconf"), "the page for phones at home, by https"),
    "opencv": (("cv2",), "the detector haar"),
    "tags": (("mutagen",), "moods and tempo written into music files"),
    "tables": (("pyarrow",), "Parquet files"),
    "mix": (("python_stretch",), "songs of a mix whose beats meet"),
    "keyring": (("keyring",), "credentials in the system's keyring"),
    "mpd": (("mpd",), "music and playlists of MPD, and playing on it"),
    "postgres": (("psycopg",), "a catalogue in PostgreSQL"),
    "cluster": (("ray",), "music heard by many machines"),
    "traces": (
        ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
        "how long requests take, for a collector",
    ),
    "train": (("torch", "litert_torch", "keras"), "training our models"),
}
"""Extra -> (the modules that it brings, what it is for)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; ``cure`` is the exact line that mends it, where there is one."""

    name: str
    fine: bool
    detail: str
    cure: str = ""


def checks() -> list[Check]:
    """Return what was looked at: the base first, then the models, then what is optional."""
    return [*_base(), *_libraries(), *_models(), *_extras()]


def plainly() -> str:
    """Return the report as lines of text, for where not even the command line loads."""
    return "".join(map(_line, checks()))


def why(error: BaseException) -> str:
    """Return what an error says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def library_of(error: BaseException) -> str:
    """Return the library of the base whose module did not load, empty where it is none of them."""
    module = (getattr(error, "name", None) or "").partition(".")[0]
    owners = (name for name, (owned, _) in LIBRARIES.items() if owned.partition(".")[0] == module)
    return next(owners, "")


def _line(check: Check) -> str:
    cure = f"\n          {check.cure}" if check.cure else ""
    return f"{'ok     ' if check.fine else 'missing'} {check.name}: {check.detail}{cure}\n"


def _base() -> Iterator[Check]:
    yield Check(installation.NAME, True, f"{__version__} on Python {platform.python_version()}")
    yield _tried("settings", _settings_line)
    yield _tried("catalogue", _catalogue_line)


def _settings_line() -> str:
    from emotion_dj.app import settings

    settings.load()
    return str(settings.config_file())


def _catalogue_line() -> str:
    from emotion_dj.app import settings
    from emotion_dj.catalogue.backends import backend_of

    return backend_of(settings.load().database or str(settings.default_database())).address


def _libraries() -> Iterator[Check]:
    """Yield each library of the base that does not load, or that all of them do."""
    broken = []
    for library, (module, purpose) in LIBRARIES.items():
        try:
            import_module(module)
        except Exception as error:  # noqa: BLE001 - native code fails in ways of its own
            detail = f"{purpose}; {why(error)}"
            cure = installation.mend(library_of(error) or library)
            broken.append(Check(f"library {library}", False, detail, cure))
    yield from broken or [Check("libraries", True, f"all {len(LIBRARIES)} of the base load")]


def _models() -> Iterator[Check]:
    try:
        from emotion_dj.app import model_registry

        models = model_registry.MODELS
    except Exception as error:  # noqa: BLE001 - the library that is missing is named above
        yield Check("models", False, why(error), installation.mend(library_of(error)))
        return
    for what, build in models.items():
        yield _tried(what, build)


def _tried(name: str, ask: Callable[[], str]) -> Check:
    """Return what was answered, or why not and the line that the error names."""
    try:
        return Check(name, True, ask())
    except Exception as error:  # noqa: BLE001 - that is what is asked
        detail, _, cure = why(error).partition(": run  ")
        if isinstance(error, ImportError):
            cure = installation.mend(library_of(error))
        return Check(name, False, detail, cure)


def _extras() -> Iterator[Check]:
    for extra, (modules, purpose) in EXTRAS.items():
        fine = all(_is_there(module) for module in modules)
        cure = "" if fine else installation.for_extra(extra)
        yield Check(f"extra {extra}", fine, purpose, cure)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ValueError, ModuleNotFoundError):  # put there without a spec; without its package
        return False
