"""The page that a device sees which is not let in yet: how it is, and where a code is typed."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
LANGUAGES: Final = ("en", "de", "es", "fr")

_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Emotion-DJ</title><link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css"></head>
<body class="pairing"><main><h1>Emotion-DJ</h1><h2>{title}</h2>
<p role="alert">{what}</p><p>{how}</p>
<form action="pair"><label>{code} <input name="code" required autocomplete="off"
autocapitalize="none" spellcheck="false" maxlength="40"></label>
<button class="primary">{pair}</button></form></main></body></html>
"""

_SYSTEMS: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux")),
)
_BROWSERS: Final = (
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Edg", "Edge"), ("OPR", "Opera")),
    *(("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari")),
)


def page(what: str, accepted: str) -> str:
    """Return the page; ``what`` is how, wrong or wait, ``accepted`` the languages as a browser
    sends them.
    """
    language = _language(accepted)
    words = {name: escape(text) for name, text in _words(language).items()}
    why = "" if what == "how" else words[f"pair.{what}"]
    return _PAGE.format(
        language=language,
        title=words["pair.title"],
        what=why,
        how=words["pair.how"],
        code=words["pair.code"],
        pair=words["pair.pair"],
    )


def device_name(agent: str) -> str:
    """Return what to call a device by what its browser says of itself."""
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    other = agent.partition("/")[0][:40] or "unknown"
    return " on ".join(filter(None, (browser, system))) or other


def _language(accepted: str) -> str:
    asked = (part.partition(";")[0].strip().lower()[:2] for part in accepted.split(","))
    return next((language for language in asked if language in LANGUAGES), LANGUAGES[0])


@cache
def _words(language: str) -> Mapping[str, str]:
    file = files("emotion_dj.web") / "static" / "i18n" / f"{language}.json"
    words: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return {name: text for name, text in words.items() if name.startswith("pair.")}
