"""Firefox over WebDriver BiDi, and WebKit (Safari's engine) over WebDriver: what a test needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox") or ""
WEBKIT = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), None)
WEBKIT_DRIVER = shutil.which("WebKitWebDriver") or ""
SCREEN = shutil.which("Xvfb") or ""
SOUND = shutil.which("pulseaudio") or ""
SECONDS = 60
"""How long a condition is waited for: these browsers draw in software."""

PREFERENCES = {
    "media.autoplay.default": 0,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Engine:
    """A browser that shows one page; `ask` is left to its protocol."""

    def ask(self, script: str) -> Any:
        """Return what a JavaScript expression gives."""
        raise NotImplementedError

    def until(self, condition: str) -> None:
        """Wait for a condition in the page; it looks by itself, so that nothing is kept from it."""
        assert self.ask(WAIT % (condition, 1000 * SECONDS)), f"{condition}: {self.ask(STATE)}"

    def says(self, selector: str, words: str) -> None:
        """Wait until an element contains these words."""
        text = f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"
        self.until(f"({text}).includes({json.dumps(words)})")

    def press(self, selector: str) -> None:
        """Press it."""
        self.ask(f"document.querySelector({json.dumps(selector)}).click() ?? true")


WAIT = """new Promise((done) => {
  const begun = performance.now();
  const look = setInterval(() => {
    const met = Boolean(%s);
    if (!met && performance.now() - begun < %d) return;
    clearInterval(look);
    done(met);
  }, 20);
})"""
STATE = """['#said', '#done', '#play-word', '#time', '#now-title', 'main']
  .map((one) => document.querySelector(one).textContent.trim().slice(0, 200)).join(" | ")"""


class Firefox(Engine):
    """One tab of Firefox, over WebDriver BiDi."""

    def __init__(self, address: str) -> None:
        """Begin a session at the address that Firefox printed."""
        from websockets.sync.client import connect

        self.socket = connect(f"{address}/session", max_size=None)
        self.count = 0
        self.send("session.new", capabilities={})
        (tab,) = self.send("browsingContext.getTree")["contexts"]
        self.tab = tab["context"]

    def send(self, method: str, **params: Any) -> Any:
        """Ask Firefox for something."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.count:
            pass  # events
        assert answer["type"] == "success", answer
        return answer["result"]

    def open(self, address: str) -> None:
        """Show a page."""
        self.send("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def ask(self, script: str) -> Any:
        """Return what a JavaScript expression gives, by way of JSON."""
        told = self.send(
            "script.evaluate",
            expression=f"Promise.resolve({script}).then(JSON.stringify)",
            target={"context": self.tab},
            awaitPromise=True,
            userActivation=True,
        )
        return json.loads(told["result"].get("value", "null"))

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file."""
        locator = {"type": "css", "value": selector}
        found = self.send("browsingContext.locateNodes", context=self.tab, locator=locator)
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self.send("input.setFiles", context=self.tab, element=element, files=[str(path)])

    def type(self, key: str) -> None:
        """Press a key."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        keys = [{"type": "key", "id": "keys", "actions": actions}]
        self.send("input.performActions", context=self.tab, actions=keys)


class WebKit(Engine):
    """One window of WebKit, over WebDriver."""

    def __init__(self, address: str, binary: Path) -> None:
        """Begin a session."""
        self.http = httpx.Client(base_url=address, timeout=120)
        options = {
            "binary": str(binary),
            "args": [
                "--automation",
                "--enable-media-stream=true",
                "--enable-mock-capture-devices=true",
            ],
        }
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self.base = f"/session/{self.post('/session', capabilities=wanted)['sessionId']}"
        self.post(f"{self.base}/timeouts", script=2000 * SECONDS)
        self.post(f"{self.base}/window/rect", x=0, y=0, width=1280, height=850)

    def post(self, path: str, **body: Any) -> Any:
        """Ask WebKit for something."""
        answer = self.http.post(path, json=body).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def open(self, address: str) -> None:
        """Show a page."""
        self.post(f"{self.base}/url", url=address)

    def ask(self, script: str) -> Any:
        """Return what a JavaScript expression gives."""
        return self.post(f"{self.base}/execute/sync", script=f"return {script}", args=[])

    def _element(self, selector: str) -> str:
        found = self.post(f"{self.base}/element", using="css selector", value=selector)
        return f"{self.base}/element/{next(iter(found.values()))}"

    def press(self, selector: str) -> None:
        """Press it as a person would, so that sound may begin; a view may still be in motion."""
        end = time.monotonic() + SECONDS
        place = f"{self._element(selector)}/click"
        while "error" in str(answer := self.http.post(place, json={}).json()["value"]):
            assert time.monotonic() < end, answer

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file."""
        self.post(f"{self._element(selector)}/value", text=str(path))

    def type(self, key: str) -> None:
        """Press a key."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        keys = [{"type": "key", "id": "keys", "actions": actions}]
        self.post(f"{self.base}/actions", actions=keys)

    def close(self) -> None:
        """Let go of the window."""
        self.http.delete(self.base)
        self.http.close()


@contextmanager
def running(*command: str, home: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program of its own until the block ends; what it says can be read."""
    own = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home), **more}
    with subprocess.Popen(
        command, env=own, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as program:
        try:
            yield program
        finally:
            program.terminate()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Run a sound server whose only device is a sink that nobody hears."""
    home = tmp_path_factory.mktemp("sound")
    place = f"unix:{home}/sound"
    load = (f"--load=module-native-protocol-unix socket={home}/sound auth-anonymous=1",)
    with running(SOUND, "-n", "--exit-idle-time=-1", "--load=module-null-sink", *load, home=home):
        yield {"PULSE_SERVER": place}


@pytest.fixture(scope="module")
def firefox(
    sound: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Firefox]:
    """Run Firefox with a profile of its own, without a screen."""
    home = tmp_path_factory.mktemp("firefox")
    lines = [f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items()]
    (home / "user.js").write_text("\n".join(lines))
    command = (FIREFOX, "--headless", "--remote-debugging-port", "0", "--profile", str(home))
    with running(*command, home=home, **sound) as program:
        assert program.stdout is not None
        found = (re.search(r"BiDi listening on (ws://\S+)", line) for line in program.stdout)
        yield Firefox(next(filter(None, found))[1])


@pytest.fixture(scope="module")
def webkit(sound: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebKit]:
    """Run WebKit on a screen that nobody sees."""
    home = tmp_path_factory.mktemp("webkit")
    assert WEBKIT is not None
    with ExitStack() as stack:
        number, screen_end = os.pipe()
        command = (SCREEN, "-displayfd", str(screen_end), "-screen", "0", "1280x900x24")
        screen = subprocess.Popen(command, pass_fds=(screen_end,), stderr=subprocess.DEVNULL)
        stack.callback(screen.wait)
        stack.callback(screen.terminate)
        display = f":{os.read(number, 16).decode().strip()}"
        port = free_port()
        own = {**sound, "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        stack.enter_context(running(WEBKIT_DRIVER, f"--port={port}", home=home, **own))
        wait_for(port)
        engine = WebKit(f"http://127.0.0.1:{port}", WEBKIT)
        stack.callback(engine.close)
        yield engine


def wait_for(port: int) -> None:
    """Wait until something listens there."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            continue
        return
