"""What sources cost: requests counted at stand-ins over real sockets, and memory.

Each library is read in a process of its own, so that its peak memory is not that of the stand-in.
Nobody but stand-ins on this machine is asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

from asked import parser

from emotion_dj.testing import deezer, faults, spotify
from emotion_dj.testing.deezer import DeezerStandIn, Song
from emotion_dj.testing.spotify import Playlist, SpotifyStandIn, entry, song

SONGS = 10_000
PICKS = 50

READ = """
import resource, sys
from emotion_dj.app.source_registry import deezer, spotify
from emotion_dj.app.settings import load
name, which = sys.argv[1:]
source = {"spotify": lambda: spotify(load()).playlist(which),
          "deezer": lambda: deezer(load(), which).tracks()}[name]()
count = len(list(source))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
PLAYED = """
import sys
from emotion_dj.app import EmotionDJ
from emotion_dj.domain import Affect, DJSet, Mood, Pick, Plan, Reason, Track
here = Affect(0, 0)
tracks = [Track(f"deezer:track/{i}", str(i)) for i in range(1, int(sys.argv[1]) + 1)]
picks = tuple(Pick(t, here, Mood.CALM, 1.0, ()) for t in tracks)
music = DJSet(picks, Plan("match"), (), here, Reason("chosen_before"))
ready = EmotionDJ().services.resolved(music)
print(sum(pick.track.media is not None for pick in ready.picks))
"""
IMPORTED = """
import sys, time
start = time.perf_counter()
import emotion_dj.sources
loaded = {"httpx", "keyring", "mutagen"} & set(sys.modules)
print(1000 * (time.perf_counter() - start), *sorted(loaded))
"""
FAULTS: dict[str, Any] = {
    "500, for ever": spotify.status(500),
    "429, no time named": spotify.status(429),
    "429, 24 h": spotify.status(429, retry_after="86400"),
    "429, QUOTA_EXCEEDED": spotify.status(429, "QUOTA_EXCEEDED", retry_after="1"),
    "401, for ever": spotify.status(401),
    "403": spotify.status(403),
    "404": spotify.status(404),
    "cut connections": faults.cut,
    "malformed JSON": faults.raw(b'{"items": ['),
    "HTML": faults.raw(b"<html>"),
}


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process with a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        folders = {f"XDG_{kind}_HOME": home for kind in ("DATA", "CACHE", "CONFIG")}
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "HOME": home, **folders, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


def big_playlists() -> None:
    """Print requests and peak memory of a playlist of ten thousand songs."""
    entries = [entry(song(f"s{number}")) for number in range(SONGS)]
    with SpotifyStandIn() as site:
        site.playlists["big"] = Playlist("big", entries)
        done = run(READ, "spotify", "big", **site.environment())
        count, peak = done.stdout.split()
        print(f"Spotify: {count} songs in {len(site.requests)} requests (asked: 200), ", end="")
        print(f"{float(peak):.0f} MB in all (asked: 150)")
    songs = [Song(number, f"No. {number}") for number in range(1, SONGS + 1)]
    with DeezerStandIn(songs, playlists={7: [each.id for each in songs]}) as site:
        done = run(READ, "deezer", "playlist/7", EMOTION_DJ_DEEZER_API=site.address)
        count, peak = done.stdout.split()
        print(f"Deezer: {count} songs in {site.count()} requests, {float(peak):.0f} MB in all")


def resolved() -> None:
    """Print how many requests make a set playable."""
    songs = [Song(number, f"No. {number}", audio=b"x") for number in range(1, PICKS + 1)]
    with DeezerStandIn(songs) as site:
        done = run(PLAYED, str(PICKS), EMOTION_DJ_DEEZER_API=site.address)
        print(f"a set of {PICKS} resolved: {done.stdout.strip()} playable, ", end="")
        print(f"{site.count()} requests (asked: at most {PICKS})")
        site.asked.clear()
        site.fail("/track", *[deezer.status(503)] * 999)
        run(PLAYED, str(PICKS), EMOTION_DJ_DEEZER_API=site.address)
        print(f"the same while the service is down: {site.count()} requests")


def lasting_faults() -> None:
    """Print what each lasting fault costs, what is said, and that no secret is in it."""
    code = "from emotion_dj.cli import main; main()"
    leaks = 0
    for name, fault in FAULTS.items():
        with SpotifyStandIn() as site:
            site.faults = [fault] * 99
            told = "import logging; logging.basicConfig(level=0, filename='/dev/stdout'); " + code
            done = run(told, "sources", "test", "spotify", **site.environment())
            leaks += (done.stdout + done.stderr).count("canary")
            said = done.stderr.strip().splitlines()
            print(f"{name}: {len(site.requests)} requests, {said[-1]}")
    print(f"secrets in all of this, with every logger at its most talkative: {leaks}")


def imported() -> None:
    """Print what importing the room loads."""
    milliseconds, *loaded = run(IMPORTED).stdout.split()
    print(f"import emotion_dj.sources: {float(milliseconds):.0f} ms, clients loaded: {loaded}")


def main() -> None:
    """Print all figures."""
    parser(__doc__).parse_args()
    imported()
    big_playlists()
    resolved()
    lasting_faults()


if __name__ == "__main__":
    main()
