"""The page in a real browser: real photographs, real music, a camera made of photographs."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import httpx
import mutagen
import numpy as np
import pytest
from mutagen.flac import Picture
from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page, Playwright

    Serve = Callable[..., AbstractContextManager[str]]

pytestmark = pytest.mark.needs_browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
    "--autoplay-policy=no-user-gesture-required",
)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
TAKING_PICTURES = "EMOTION_DJ_PICTURES" in os.environ


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Drive browsers."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@contextmanager
def launched(playwright: Playwright, *arguments: str) -> Iterator[Browser]:
    """Run Debian's Chromium without a screen."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *arguments])
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return a browser without a camera."""
    with launched(playwright) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page; nothing may be said in its console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints = listen(page)
    page.goto(address)
    page.wait_for_selector("#moods input")
    yield page
    context.close()
    assert complaints == []


def listen(page: Page) -> list[str]:
    """Collect what the page complains of, and every request to another host."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def said(message: Any) -> None:
        expected = "status of 422" in message.text or "ERR_CONNECTION" in message.text
        if message.type in {"error", "warning"} and not expected:
            complaints.append(message.text)

    page.on("console", said)

    def asked(request: Any) -> None:
        if not re.match(r"(http://127\.0\.0\.1|blob:|data:)", request.url):
            complaints.append(request.url)

    page.on("request", asked)
    return complaints


def says(page: Page, selector: str, words: str | re.Pattern[str]) -> None:
    """Wait until an element contains these words."""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_contain_text(words, timeout=20_000)


def comes_true(page: Page, condition: str) -> None:
    """Wait for a condition in the page, without eval, which its policy forbids."""
    page.evaluate(
        f"""() => new Promise(done => {{
            const look = setInterval(() => {{
                if ({condition}) {{ clearInterval(look); done(); }}
            }}, 20);
        }})"""
    )


def show(page: Page, photo: Path) -> None:
    """Choose a photo and wait for the set."""
    page.set_input_files("#photo", photo)
    page.wait_for_selector("#set li")
    says(page, "#opening", "look")


def test_a_photo_leads_to_sound(page: Page, smiling_photo: Path) -> None:
    """Choose a photo: the face is framed and read, the set stands, the audio really advances."""
    show(page, smiling_photo)
    assert page.inner_text("#opening") == "You look happy."
    assert "looks happy" in page.inner_text("#faces").lower()
    assert page.locator("#set li").count() == 10
    assert page.locator("#map .pick").count() == 10
    says(page, "#time", re.compile(r"0:0[1-9] /"))


def test_a_second_photo_does_not_cut_the_song_off(page: Page, smiling_photo: Path) -> None:
    """What plays goes on, now first in the new queue, while the set behind it is new."""
    show(page, smiling_photo)
    says(page, "#time", re.compile(r"0:0[1-9] /"))
    playing = page.inner_text("#now-title")
    show(page, smiling_photo)
    says(page, "#time", re.compile(r"0:0[2-9] /"))
    assert page.inner_text("#now-title") == playing


def test_a_mood_needs_no_photo_and_a_plan_changes_the_set(page: Page) -> None:
    """Pick a mood, then another plan, then another length: the set follows each."""
    from playwright.sync_api import expect

    page.check("input[value=sad]", force=True)
    page.wait_for_selector("#set li")
    before = page.inner_text("#set")
    page.check("input[value=lift]", force=True)
    expect(page.locator("#set")).not_to_have_text(before, use_inner_text=True)
    page.fill("#length", "4")
    page.press("#length", "Tab")
    expect(page.locator("#set li")).to_have_count(4)


def test_a_correction_is_believed(page: Page, smiling_photo: Path) -> None:
    """'I am sad' moves the listener and the music, whatever the face looks like."""
    show(page, smiling_photo)
    page.select_option("#faces select", "sad")
    says(page, "#opening", "sad")
    assert float(page.get_attribute("#map .you", "aria-valuenow") or 1) < -0.3


def test_dragging_oneself_moves_the_set(page: Page) -> None:
    """Pull the point to the lower left: the music becomes dark and calm."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_selector("#set li")
    says(page, "#opening", "sad")


def test_the_keyboard_is_enough(page: Page) -> None:
    """Arrow keys move the listener, space plays, N goes on, M mutes, ? lists the keys."""
    page.focus("#map .you")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#set li")
    page.locator("body").press(" ")
    page.wait_for_selector("#set li:first-child[aria-current=true]")
    page.keyboard.press("n")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    page.keyboard.press("?")
    assert page.locator("#keys-dialog[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#keys-dialog[open]").count() == 0


def test_focus_stays_where_it_is(page: Page) -> None:
    """Who starts a song from the list stays there; on the plane one Tab stop leads to all dots."""
    page.check("input[value=happy]", force=True)
    page.wait_for_selector("#set li")
    page.focus("#set li:nth-child(2) button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#set li:nth-child(2)[aria-current=true]")
    assert page.evaluate("document.activeElement.closest('#set li:nth-child(2)') !== null")
    page.focus("#map .pick[tabindex='0']")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#tip").startswith("3. ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#set li:nth-child(3)[aria-current=true]")
    page.keyboard.press("m")
    assert page.get_attribute("#mute", "aria-pressed") == "true"


def test_reasons_are_told_in_every_language(page: Page) -> None:
    """What the service says in English is said in the listener's words, in the list and above."""
    page.check("input[value=happy]", force=True)
    says(page, "#opening", "You want happy.")
    page.select_option("#language", "de")
    says(page, "#opening", "Du möchtest es fröhlich.")
    says(page, "#set", "-Dur")
    assert not re.search("bright|lively|major|minor", page.inner_text("#set"))
    page.select_option("#language", "es")
    says(page, "#opening", "Quieres algo alegre.")


def test_a_phone_folds_the_plane_and_the_player(
    browser: Browser, address: str, smiling_photo: Path
) -> None:
    """The plane is a strip around the listener that opens; like and skip are behind one button."""
    page = opened(browser, address, viewport={"width": 390, "height": 844}, has_touch=True)
    show(page, smiling_photo)
    strip = page.locator(".plane").bounding_box()
    you = page.locator("#map .you").bounding_box()
    assert strip is not None
    assert you is not None
    assert strip["height"] < strip["width"] / 2
    assert strip["y"] < you["y"] + you["height"] / 2 < strip["y"] + strip["height"]
    page.tap("#plane-open")
    opened_up = page.locator(".plane").bounding_box()
    assert opened_up is not None
    assert opened_up["height"] == pytest.approx(opened_up["width"], abs=2)
    assert page.locator("#like").is_hidden()
    page.tap("#more")
    page.tap("#like")
    assert page.get_attribute("#like", "aria-pressed") == "true"
    page.context.close()


def test_no_music_is_said(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    """A library without music: the page says so, and that a folder has to be named."""
    (tmp_path / "empty").mkdir()
    with serve("--library", str(tmp_path / "empty")) as address:
        page = opened(browser, address)
        says(page, "#music", "there is no music")
        page.check("input[value=calm]", force=True)
        says(page, "#opening", "there is no music")
        page.context.close()


def test_next_fades_one_song_into_another(page: Page) -> None:
    """After Next both decks sound for a while, one rising, one falling."""
    page.evaluate(
        """() => {
            window.heard = [];
            const play = HTMLMediaElement.prototype.play;
            HTMLMediaElement.prototype.play = function () {
                if (!window.heard.includes(this)) window.heard.push(this);
                return play.call(this);
            };
        }"""
    )
    page.check("input[value=happy]", force=True)
    page.wait_for_selector("#set li")
    page.click("#play")
    comes_true(page, "window.heard[0] && window.heard[0].currentTime > 0.2")
    page.click("#next")
    comes_true(
        page,
        "window.heard.length === 2 && window.heard.every(d => !d.paused && d.volume > 0.05)",
    )


def test_nobody_in_the_photo_is_said(page: Page, tmp_path: Path) -> None:
    """A wall: the page says that it sees no face and what would help; moods still work."""
    Pillow.new("RGB", (400, 300), "white").save(tmp_path / "wall.png")
    page.set_input_files("#photo", tmp_path / "wall.png")
    says(page, "#said", "can't see a face")
    (tmp_path / "text.jpg").write_text("no photo")
    page.set_input_files("#photo", tmp_path / "text.jpg")
    says(page, "#said", "not a photo")


def test_every_language_speaks(page: Page) -> None:
    """Switching the language changes the words, and no key is left untranslated."""
    for tag, word in (("de", "Kamera benutzen"), ("fr", "Utiliser"), ("es", "Usar")):
        page.select_option("#language", tag)
        says(page, "#camera-word", word)
        assert page.evaluate("document.documentElement.lang") == tag
        assert not re.search(r"\b[a-z]+[A-Z]\w+\b", page.inner_text("main")), tag


def test_sets_are_saved(page: Page) -> None:
    """The button downloads a playlist of the set that is shown."""
    page.check("input[value=calm]", force=True)
    page.wait_for_selector("#set li")
    with page.expect_download() as download:
        page.click("[data-form=m3u8]")
    assert download.value.suggested_filename == "emotion-dj.m3u8"
    assert Path(download.value.path()).read_text().startswith("#EXTM3U")


def test_no_camera_is_said(page: Page) -> None:
    """Where there is no camera the page says so and names the other ways."""
    page.click("#camera")
    says(page, "#said", "Choose a photo")
    assert page.locator("#light").is_hidden()


def filmed(path: Path, faces: list[Pillow.Image], seconds: int) -> Path:
    """Make a film for the camera that shows each face for some seconds (Motion JPEG); it loops."""
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for face in faces:
            pixels = np.asarray(face.convert("RGB").resize((640, 480)))
            for _ in range(10 * seconds):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def smiling(photo: Path) -> Pillow.Image:
    """Return the smile as a camera would see it."""
    with Pillow.open(photo) as picture:
        return picture.convert("RGB").crop((50, 0, 450, 300))


@pytest.fixture(scope="module")
def film(smiling_photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film of a smiling face."""
    return filmed(
        tmp_path_factory.mktemp("film") / "camera.mjpeg", [smiling(smiling_photo)], seconds=8
    )


def watching(film: Path) -> tuple[str, ...]:
    """Return what gives a browser this film for its camera."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


def test_the_camera_reads_until_it_is_stopped(
    playwright: Playwright, address: str, film: Path
) -> None:
    """Live mode: asked for only when pressed, a light while it is on, one key to stop it."""
    with launched(playwright, *watching(film)) as browser:
        page = browser.new_page()
        complaints = listen(page)
        page.goto(address)
        page.wait_for_selector("#moods input")
        assert page.locator("#light").is_hidden()
        page.click("#camera")
        says(page, "#opening", "happy")
        assert page.locator("#light").is_visible()
        page.keyboard.press("c")
        page.wait_for_selector("#light", state="hidden")
        assert page.evaluate("document.querySelector('#video').srcObject === null")
        assert complaints == []


@pytest.mark.needs_shared
def test_the_music_follows_a_change_of_face(
    playwright: Playwright, address: str, smiling_photo: Path, shared: Path, tmp_path: Path
) -> None:
    """A smile, then a sad face: what plays goes on, and what follows it is of the other mood."""
    from pyarrow import parquet

    faces = parquet.read_table(
        shared / "data" / "faces" / "fer2013-train.parquet",
        columns=["image"],
        filters=[("votes_sadness", "==", 9), ("emotion", "==", "sad")],
    )
    sad = Pillow.new("RGB", (640, 480), "grey")
    with Pillow.open(io.BytesIO(faces["image"][0].as_py())) as face:
        sad.paste(face.convert("RGB").resize((300, 300), Pillow.Resampling.BICUBIC), (170, 90))
    film = filmed(tmp_path / "moody.mjpeg", [smiling(smiling_photo), sad, sad, sad], seconds=6)
    with launched(playwright, *watching(film)) as browser:
        page = opened(browser, address)
        page.click("#camera")
        says(page, "#opening", "You look happy")
        page.click("#play")
        says(page, "#time", re.compile(r"0:0[1-9] /"))
        playing = page.inner_text("#now-title")
        says(page, "#opening", "You look sad")
        assert page.inner_text("#now-title") == playing
        assert page.inner_text("#set li[aria-current=true] .title") == playing
        assert float(page.get_attribute("#map .you", "aria-valuenow") or 1) < 0
        page.keyboard.press("n")
        says(page, "#now-why", re.compile("sad|calm"))


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [("desktop-dark", (1440, 900), "dark"), ("phone-light", (390, 844), "light")],
)
def test_pictures_of_the_page(
    browser: Browser, address: str, smiling_photo: Path, name: str, size: Any, scheme: Any
) -> None:
    """Nothing sticks out sideways; EMOTION_DJ_PICTURES=1 takes the pictures of the documents."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#moods input")
    show(page, smiling_photo)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if TAKING_PICTURES:
        with Pillow.open(io.BytesIO(page.screenshot())) as picture:
            small = picture.convert("RGB").quantize(256)
            small.save(PICTURES / f"page-{name}.png", optimize=True)
    context.close()


def test_the_page_is_light(page: Page) -> None:
    """Without music and photos the page weighs less than 100 kB."""
    sizes = page.evaluate(
        "performance.getEntries().filter(e => 'transferSize' in e && !e.name.includes('/api/'))"
        ".map(e => e.transferSize)"
    )
    assert 10_000 < sum(sizes) < 100_000


def opened(browser: Browser, address: str, **options: Any) -> Page:
    """Open the page in a context of its own."""
    page = browser.new_context(**options).new_page()
    page.goto(address)
    page.wait_for_selector("#moods input")
    return page


def test_two_faces_are_both_read(page: Page, smiling_photo: Path, tmp_path: Path) -> None:
    """Each is framed and has its own bars and its own way to be corrected."""
    with Pillow.open(smiling_photo) as photo:
        face = photo.convert("RGB").crop((80, 0, 380, 300))
    both = Pillow.new("RGB", (600, 300))
    both.paste(face, (0, 0))
    both.paste(face, (300, 0))
    both.save(tmp_path / "two.png")
    show(page, tmp_path / "two.png")
    assert page.locator("#faces .face").count() == 2
    assert page.locator("#faces select").count() == 2
    assert page.get_attribute("#picture", "aria-label") == "Your picture with 2 framed faces"
    assert page.inner_text("#opening").startswith("You all look happy")


def test_two_tabs_do_not_disturb_each_other(page: Page, address: str, smiling_photo: Path) -> None:
    """One shows its photo's set, the other one a mood's."""
    other = page.context.new_page()
    other.goto(address)
    other.check("input[value=sad]", force=True)
    says(other, "#opening", "You want sad")
    show(page, smiling_photo)
    assert page.inner_text("#opening") == "You look happy."
    assert other.inner_text("#opening") == "You want sad."


def test_sets_are_remembered_only_where_wanted(page: Page) -> None:
    """Off by default; on, they outlive a reload in the middle of a song, until forgotten."""
    page.check("input[value=calm]", force=True)
    says(page, "#opening", "calm")
    assert page.evaluate("localStorage.length") == 0
    page.click("summary")
    page.check("#remember")
    page.check("input[value=happy]", force=True)
    says(page, "#past", "happy")
    page.click("#play")
    says(page, "#time", re.compile(r"0:0[1-9] /"))
    page.reload()
    page.wait_for_selector("#moods input")
    assert page.locator("#set li").count() == 0
    page.click("summary")
    page.click("#past button")
    assert page.locator("#set li").count() == 10
    assert page.inner_text("#opening") == "You want happy."
    page.click("#forget")
    assert page.locator("#past li").count() == 0
    page.uncheck("#remember")
    assert page.evaluate("localStorage.length") == 0


def test_the_page_outlives_its_server(browser: Browser, serve: Serve, demo_music: Path) -> None:
    """Killed: it says so, opens again without it and shows the sets of before; back: it goes on."""
    arguments = ("--library", str(demo_music / "calm"))
    with serve(*arguments) as address:
        page = opened(browser, address)
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        page.click("summary")
        page.check("#remember")
        page.check("input[value=calm]", force=True)
        says(page, "#past", "calm")
    page.check("input[value=sad]", force=True)
    says(page, "#banner", "The server cannot be reached")
    page.reload()
    says(page, "#banner", "The server cannot be reached")
    page.click("summary")
    page.click("#past button")
    assert page.locator("#set li").count() > 0
    kept = page.evaluate(
        "caches.keys().then(async names => (await Promise.all(names.map(async name =>"
        " (await (await caches.open(name)).keys()).map(kept => kept.url)))).flat())"
    )
    assert not [url for url in kept if "/api/" in url]
    with serve(*arguments, "--port", address.rpartition(":")[2]):
        page.wait_for_selector("#banner", state="hidden")
        page.check("input[value=sad]", force=True)
        says(page, "#opening", "You want sad")
    page.context.close()


def test_the_service_worker_keeps_the_whole_page(page: Page, address: str) -> None:
    """Every file that the page is made of, so that none is missing when the server is."""
    static = Path(str(files("emotion_dj.web"))) / "static"
    parts = [path for path in static.rglob("*") if path.suffix not in {".ts", ""}]
    wanted = {f"{address}/{path.relative_to(static).as_posix()}" for path in parts}
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    kept = page.evaluate(
        "caches.open('shell-1').then(s => s.keys()).then(all => all.map(kept => kept.url))"
    )
    assert set(kept) == wanted - {f"{address}/index.html", f"{address}/sw.js"} | {f"{address}/"}


def test_a_slow_server_is_waited_for_in_words(page: Page, smiling_photo: Path) -> None:
    """What takes longer than a moment is said, and unsaid when it is done."""
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 1500, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    page.set_input_files("#photo", smiling_photo)
    says(page, "#said", "Reading your photo")
    says(page, "#opening", "Choosing songs")
    says(page, "#opening", "You look happy")
    assert page.inner_text("#said") == ""


def test_a_refused_camera_is_said(playwright: Playwright, address: str) -> None:
    """Who says no to the camera is told the other ways, and no light is on."""
    with launched(
        playwright, "--use-fake-device-for-media-stream", "--deny-permission-prompts"
    ) as browser:
        page = opened(browser, address)
        page.click("#camera")
        says(page, "#said", "The camera was refused")
        assert page.locator("#light").is_hidden()


def test_pictures_in_the_music_are_its_covers(
    browser: Browser, serve: Serve, demo_music: Path, tmp_path: Path
) -> None:
    """A song that carries a picture shows it, another one the cover drawn for it."""
    music = tmp_path / "music"
    music.mkdir()
    plain, pictured = sorted((demo_music / "calm").glob("*.opus"))[:2]
    shutil.copy(plain, music)
    song, picture, data = mutagen.File(shutil.copy(pictured, music)), Picture(), io.BytesIO()
    Pillow.new("RGB", (300, 300), "red").save(data, "PNG")
    picture.type, picture.mime, picture.data = 3, "image/png", data.getvalue()
    song["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    song.save()
    with serve("--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=60)  # ends when all is heard
        page = opened(browser, address)
        complaints = listen(page)
        page.check("input[value=calm]", force=True)
        page.wait_for_selector("#set li")
        comes_true(page, "document.querySelectorAll('#set img').length === 1")
        assert page.locator("#set .cover svg").count() == 2
        page.context.close()
        assert complaints == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [320, 1440])
def test_no_view_breaks_a_rule_of_axe(
    browser: Browser, address: str, smiling_photo: Path, scheme: Any, width: int
) -> None:
    """axe-core finds nothing in any view, in dark and light, on a narrow phone and a desktop."""
    page = opened(
        browser,
        address,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    breaks_no_rule(page, "first visit")
    page.click("summary")
    page.check("#remember")
    show(page, smiling_photo)
    breaks_no_rule(page, "a reading, a set, a song, the sets of before")
    for name in ("keys", "about"):
        page.click(f"#{name}-open")
        breaks_no_rule(page, name)
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.context.close()


def breaks_no_rule(page: Page, view: str) -> None:
    """Assert that axe-core finds no violation."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert len(found.response["passes"]) > 10, "axe-core did not look"
    assert found.violations_count == 0, f"{view}: {found.generate_report()}"
