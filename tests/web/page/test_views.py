"""How the page looks and speaks: languages, screens, light and dark, for everybody."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page


pytestmark = pytest.mark.needs_browser


def test_every_language_speaks(page: Page, says: Callable[..., None]) -> None:
    """Switching the language changes the words, and no key is left untranslated."""
    for tag, word in (("de", "Kamera benutzen"), ("fr", "Utiliser"), ("es", "Usar")):
        page.select_option("#language", tag)
        says(page, "#camera-word", word)
        assert page.evaluate("document.documentElement.lang") == tag
        assert not re.search(r"\b[a-z]+[A-Z]\w+\b", page.inner_text("main")), tag


def test_the_page_says_the_same_before_its_scripts() -> None:
    """So that nothing moves when they come: each word in it is the English one of its key."""
    page = (I18N.parent / "index.html").read_text(encoding="utf-8")
    words = json.loads((I18N / "en.json").read_text(encoding="utf-8"))
    there = re.findall(r'data-i18n="([^"]+)"[^>]*>([^<]*)<', page)
    assert len(there) > 60
    assert [(key, words[key]) for key, _ in there] == there


def test_one_is_not_many_in_any_language(page: Page, says: Callable[..., None]) -> None:
    """Wherever a number counts something, its noun and verb go with it."""
    counted = """([key, n]) => import("/js/main.js").then(({ $$ }) =>
        $$["i18n.js"].say(key, { n, count: n, songs: n, total: n }))"""
    for path in sorted(I18N.glob("*.json")):
        page.select_option("#language", path.stem)
        words = json.loads(path.read_text(encoding="utf-8"))
        says(page, "#camera-word", words["useCamera"])
        keys = [key for key, text in words.items() if re.search(r"{(n|count|songs|total)}", text)]
        for key in sorted({*keys} - UNCOUNTED):
            one, two = (page.evaluate(counted, [key, n]) for n in (1, 2))
            alike = one.replace("1", "2") == two
            assert alike == ((path.stem, key) == ("en", "note.not_playable")), (one, two)
            assert not re.search(r"[{|}]", one + two)


UNCOUNTED = {"face", "playTrack", "cardFigures", "diaryLines", "hearing"}
"""Messages with numbers that are ordinals, constants, or stand behind a colon."""


def test_reasons_are_told_in_every_language(page: Page, says: Callable[..., None]) -> None:
    """What the service says in English is said in the listener's words, in the list and above."""
    page.check("input[value=happy]")
    says(page, "#opening", "You want happy")
    page.select_option("#language", "de")
    says(page, "#opening", "Du möchtest es fröhlich")
    says(page, "#set", "-Dur")
    assert not re.search("bright|lively|major|minor", page.inner_text("#set"))
    page.select_option("#language", "es")
    says(page, "#opening", "Quieres algo alegre")


def test_what_flows_and_what_is_liked_is_said_in_every_language(
    serve: Callable[..., AbstractContextManager[str]],
    opened: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """Once songs are liked, a set says what flows and what is to taste, in German too."""
    with (
        serve("--library", "demo") as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        client.get("/api/v1/library/scan")  # ends when all is heard
        picks = client.post("/api/v1/sets", json={"mood": "happy"}).json()["picks"]
        for pick in (*picks, *picks, *picks):
            told = {"track": pick["id"], "kind": "like"}
            assert client.post("/api/v1/feedback", json=told).is_success
        with opened(address) as page:
            page.check("#moods input[value=happy]")
            for part in ("much to your taste", "flows from the song before"):
                says(page, "#set", part)
            page.select_option("#language", "de")
            for part in ("ganz nach deinem Geschmack", "schließt an den Song davor an"):
                says(page, "#set", part)
            assert not re.search("taste|flows", page.inner_text("#set"))


def test_a_phone_shows_what_counts_in_one_screen(
    address: str,
    smiling_photo: Path,
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """After a photo: headline, picture, plane, what plays, play and next, without scrolling; the
    reading and the queue are one tap away, and like behind one button.
    """
    size = {"width": 390, "height": 844}
    with opened(address, viewport=size, has_touch=True, is_mobile=True) as page:
        show(page, smiling_photo)
        for part in ("#opening", "#picture", ".plane", "#now-title", "#play", "#next"):
            box = page.locator(part).bounding_box()
            assert box is not None, part
            assert box["y"] >= 0, part
            assert box["y"] + box["height"] <= 844, part
        assert page.evaluate("document.documentElement.scrollHeight") <= 844
        assert page.locator("#keys-open").is_hidden()
        for panel, part in (("you", "#faces"), ("set", "#set"), ("plane", ".plane")):
            page.tap(f"#panels [data-panel={panel}]")
            assert page.locator(part).is_visible()
        assert page.locator("#like").is_hidden()
        page.tap("#more")
        page.tap("#like")
        assert page.get_attribute("#like", "aria-pressed") == "true"


def test_the_plane_stays_where_it_is_whatever_is_said(
    page: Page, says: Callable[..., None], comes_true: Callable[[Page, str], None]
) -> None:
    """Headlines of one and of two lines, and a note, have their place; so has the song's clock."""
    page.evaluate(SHIFTS)
    places = set()
    for mood in ("happy", "sad", "calm", "energetic"):
        page.evaluate(f"document.querySelector('input[value={mood}]').click()")
        says(page, "#opening", mood)  # what follows a press of the mouse would not be counted
        comes_true(page, "document.querySelector('#now-title').textContent")
        for headline, note in (("You want calm", ""), (f"You look {mood} · bright and calm", "!")):
            places.add(page.evaluate(PLACE, [headline, note]))
    assert len(places) == 1
    assert page.evaluate("shifted") < 0.05


SHIFTS = """() => {
  window.shifted = 0;
  const add = (list) => list.getEntries().forEach(({ value }) => (shifted += value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
}"""
PLACE = """([headline, note]) => {
  document.querySelector("#opening").textContent = headline;
  document.querySelector("#notes").textContent = note;
  return JSON.stringify(document.querySelector(".plane").getBoundingClientRect());
}"""
"""Says something, and tells where the plane is."""


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_what_can_be_pressed_is_large_enough(
    address: str,
    smiling_photo: Path,
    width: int,
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """Targets have 44 pixels, words 12, at any width; nothing sticks out."""
    with opened(address, viewport={"width": width, "height": 844}) as page:
        show(page, smiling_photo)
        for panel in ("you", "plane", "set"):
            if width < 700:
                page.click(f"#panels [data-panel={panel}]")
            assert page.evaluate(SMALL) == [], panel
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


SMALL = """() => {
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.hidden');
  const targets = [...document.querySelectorAll('button, select, summary, .choice, .button')];
  const low = targets.filter((e) => seen(e) && e.getBoundingClientRect().height < 43.5);
  const words = [...document.querySelectorAll('body *')].filter((e) => seen(e)
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()));
  const size = (e) => parseFloat(getComputedStyle(e).fontSize)
    * (e.ownerSVGElement ? e.ownerSVGElement.clientWidth / 220 : 1);
  return [...low, ...words.filter((e) => size(e) < 11.9)].map((e) => e.outerHTML.slice(0, 90));
}"""
"""Lists what is too small to press or to read."""


ROOMS = {
    "zoomed to 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "a phone on its side": {"viewport": {"width": 844, "height": 390}},
    "a small phone": {"viewport": {"width": 320, "height": 568}},
    "a low laptop": {"viewport": {"width": 1280, "height": 650}},
    "a large screen": {"viewport": {"width": 3840, "height": 2160}},
}

COVERED = """() => {
  const one = document.activeElement;
  if (one === document.body) return '';
  const { left, top, width, height } = one.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const over = document.elementFromPoint(x, y);
  return Boolean(over?.closest('footer')) && !one.closest('footer') ? one.outerHTML : '';
}"""
"""Names what has the focus and is hidden under the player."""


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_cut_off_and_no_focus_is_hidden(
    address: str,
    smiling_photo: Path,
    room: str,
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """In every room: nothing sticks out sideways, play is in sight, and what Tab leads to also."""
    with opened(address, reduced_motion="reduce", **ROOMS[room]) as page:
        show(page, smiling_photo)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        box = page.locator("#play").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= page.evaluate("innerHeight")
        for _ in range(40):
            page.keyboard.press("Tab")
            assert page.evaluate(COVERED) == ""


def test_forced_colours_show_what_is_chosen(
    address: str, opened: Callable[..., AbstractContextManager[Page]]
) -> None:
    """Where the system takes the colours, outlines say what plays and what is chosen."""
    with opened(address, forced_colors="active") as page:
        page.check("#moods input[value=calm]")
        page.wait_for_selector("#set li[aria-current=true]")
        for chosen in ("#set li[aria-current=true]", "#moods input:checked + .choice"):
            style = f"getComputedStyle(document.querySelector('{chosen}')).outlineStyle"
            assert page.evaluate(style) == "solid", chosen


def test_the_page_is_light(page: Page) -> None:
    """Without music, photos and what reads faces the page weighs less than 80 kB."""
    sizes = page.evaluate(
        "performance.getEntries()"
        ".filter(e => 'transferSize' in e && !/\\/api|\\/eye|live-smoothing/.test(e.name))"
        ".map(e => e.transferSize)"
    )
    assert 10_000 < sum(sizes) < 80_000


def test_every_code_has_words_in_every_language() -> None:
    """The files hold the same keys with the same values in them; terms are those of the list."""
    words = {tag: json.loads((I18N / f"{tag}.json").read_text("utf-8")) for tag in TERMS}
    for tag, messages in words.items():
        assert messages.keys() == words["en"].keys(), tag
        for key, message in messages.items():
            assert set(re.findall(r"{(\w+)}", message)) == set(
                re.findall(r"{(\w+)}", words["en"][key])
            ), f"{tag} {key}"
        for key, term in TERMS[tag].items():
            assert term in messages[key].lower(), f"{tag} {key}"
    for kind, codes in CODES.items():
        assert {f"{kind}.{code}" for code in codes} <= words["en"].keys()


I18N = Path(str(files("emotion_dj.web"))) / "static" / "i18n"
CODES = {
    "reason": ("character", "tempo", "key", "taste", "flows"),
    "opening": (
        *("you_look", "all_look", "room_looks", "you_said", "you_want_mood", "you_want_place"),
        *("to_lift", "to_calm", "to_liven", "to_vent", "journey"),
        *("you_say", "like", "like_calmer", "like_livelier"),
    ),
    "note": ("faces_disagree", "few_tracks", "far", "understood_is", "understood_wants"),
    "problem": (
        *("no_face", "unsure", "image_error", "too_large", "too_many_pixels", "busy", "gone"),
        *("camera_refused", "no_camera", "camera_taken", "camera_broken", "nobody"),
        *("mouth_hidden", "cut_off", "none_plays", "unknown", "not_understood", "contradiction"),
        *("unknown_track", "nothing_left", "empty_journey"),
    ),
}
TERMS = {
    "en": {"player": "player", "set": "queue", "correct": "reading"},
    "de": {"player": "player", "set": "warteschlange", "correct": "einschätzung"},
    "fr": {"player": "lecteur", "set": "file", "correct": "lecture"},
    "es": {"player": "reproductor", "set": "cola", "correct": "lectura"},
}
"""What the words of the trade are in each language: the same everywhere on the page."""


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [320, 1440])
def test_no_view_breaks_a_rule_of_axe(
    address: str,
    smiling_photo: Path,
    scheme: Any,
    width: int,
    opened: Callable[..., AbstractContextManager[Page]],
    show: Callable[..., None],
) -> None:
    """axe-core finds nothing in any view, in dark and light, on a narrow phone and a desktop."""
    with opened(
        address,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
    ) as page:
        breaks_no_rule(page, "first visit")
        show(page, smiling_photo)
        if width < 700:
            breaks_no_rule(page, "the plane on a phone")
            page.click("#panels [data-panel=you]")
            breaks_no_rule(page, "the reading on a phone")
            page.click("#panels [data-panel=set]")
        page.click("#set-section summary")
        page.check("#remember")
        page.locator("#set").get_by_role("button", name="More for").first.click()
        breaks_no_rule(page, "a reading, a set, a song, the sets of before")
        for name in ("keys", "about"):
            page.click(f"#{name}-open")
            breaks_no_rule(page, name)
            page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def breaks_no_rule(page: Page, view: str) -> None:
    """Assert that axe-core finds no violation."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert len(found.response["passes"]) > 10, "axe-core did not look"
    assert found.violations_count == 0, f"{view}: {found.generate_report()}"
