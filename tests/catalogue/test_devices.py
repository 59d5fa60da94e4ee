"""The contract of what keeps paired devices: a file beside a catalogue, or the database itself.

A store is a subclass at the end: ``open`` returns one more of the same, as another process has it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from emotion_dj.app.devices import pairing
from emotion_dj.app.settings import Settings
from emotion_dj.catalogue import Catalogue
from emotion_dj.catalogue.devices import SQLiteDevices
from emotion_dj.catalogue.shared_devices import SharedDevices
from emotion_dj.errors import PairingRefused
from emotion_dj.pairing import CODE_SECONDS, TRIES, TRIES_SECONDS, Pairing, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emotion_dj.pairing import DeviceStore

WRONG = "a" * 16
BEGAN = 1_000_000.0


class DevicesContract:
    """Tests that pytest collects in a subclass whose ``open`` returns a store."""

    def open(self, name: str = "d") -> DeviceStore:
        """Return the store of this name, which is empty before each test."""
        raise NotImplementedError

    def pairings(self, *, now: list[float] | None = None) -> tuple[Pairing, Pairing]:
        """Return those of two processes, with a clock that the test moves."""
        clock = time.time if now is None else lambda: now[0]
        return Pairing(self.open(), clock), Pairing(self.open(), clock)

    def test_who_is_let_in_by_one_is_known_to_all(self) -> None:
        """Both sign alike, know the device, its role and its listener, and that it was seen."""
        now = [BEGAN]
        one, other = self.pairings(now=now)
        device, token = one.pair(one.invite(Role.LISTENER, "ann"), name="a phone", address="x")
        assert (one.cookie, other.token(one.signed(token))) == (other.cookie, token)
        assert other.device(token) == device
        assert (device.role, device.listener, device.name) == (Role.LISTENER, "ann", "a phone")
        assert other.listener(one.stream_key(device.id, 7), 7) == device
        now[0] += 7_200
        assert one.device(token) == device
        assert [known.seen for known in other.devices()] == [BEGAN + 7_200]

    def test_who_is_turned_out_by_one_is_turned_out_by_all(self) -> None:
        """From the next request on; nobody can be turned out twice."""
        one, other = self.pairings()
        device, token = one.pair(one.invite(), name="a phone", address="x")
        assert one.device(token)
        assert (other.revoke(device.id), one.revoke(device.id)) == (True, False)
        assert (one.device(token), other.devices()) == (None, [])
        assert one.listener(one.stream_key(device.id, 7), 7) is None

    def test_a_code_lets_in_one_device(self) -> None:
        """Eight ask at once, by two processes: one is let in."""
        pairs = self.pairings()
        code = pairs[0].invite(Role.GUEST)

        def ask(number: int) -> None:
            with suppress(PairingRefused):
                pairs[number % 2].pair(code, name=f"{number}", address=f"192.0.2.{number}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        assert [device.role for device in pairs[1].devices()] == [Role.GUEST]

    def test_codes_hold_for_ten_minutes_of_a_clock_that_goes_on(self) -> None:
        """Old ones are refused, and so are those that were made later than now: a clock set back;
        with the next invitation old ones are gone.
        """
        now = [BEGAN]
        one, other = self.pairings(now=now)
        code = one.invite()
        for moved in (CODE_SECONDS + 1, -3600):
            now[0] = BEGAN + moved
            with pytest.raises(PairingRefused, match="ask for a new link"):
                other.pair(code, name="late", address="192.0.2.1")
        now[0] = BEGAN + CODE_SECONDS - 1
        assert other.pair(code, name="in time", address="192.0.2.2")[0].role is Role.OWNER
        one.invite()
        now[0] += CODE_SECONDS + 1
        one.invite()
        assert [invitation.made for invitation in self.open().invitations()] == [now[0]]

    def test_codes_are_not_guessed_by_asking_in_turn(self) -> None:
        """What one address sends is counted by all together, however many ask at once: then it
        waits, also with a right code, and another address does not.
        """
        now = [BEGAN]
        pairs = self.pairings(now=now)
        code = pairs[0].invite()

        def guess(number: int) -> int:
            with pytest.raises(PairingRefused) as refused:
                pairs[number % 2].pair(WRONG, name="x", address="192.0.2.1")
            return refused.value.retry_after

        with ThreadPoolExecutor(8) as pool:
            waits = list(pool.map(guess, range(4 * TRIES)))
        assert waits.count(0) == TRIES
        assert set(waits) == {0, int(TRIES_SECONDS) + 1}
        with pytest.raises(PairingRefused, match="wait 61 seconds"):
            pairs[1].pair(code, name="x", address="192.0.2.1")
        assert pairs[1].pair(code, name="x", address="192.0.2.2")
        now[0] += TRIES_SECONDS
        assert guess(1) == 0

    def test_a_code_that_fits_is_no_guess(self) -> None:
        """A household behind one address pairs as many devices as it likes."""
        one, _ = self.pairings()
        for number in range(2 * TRIES):
            one.pair(one.invite(), name=f"{number}", address="192.0.2.1")
        assert len(one.devices()) == 2 * TRIES

    def test_what_is_asked_for_within_a_minute_is_counted_by_all(self) -> None:
        """The devices of a listener share what they may have, guests have it each; who has had it
        waits for the minute to end.
        """
        now = [BEGAN]
        pairs = self.pairings(now=now)
        wanted = [(Role.LISTENER, "ann"), (Role.LISTENER, "ann"), (Role.GUEST, "me")]
        phone, laptop, guest = (
            pairs[0].pair(pairs[0].invite(*who), name="x", address="192.0.2.1")[0] for who in wanted
        )
        told = [pairs[i % 2].spend(device, 3) for i, device in enumerate([phone, laptop] * 2)]
        assert told == [0, 0, 0, 60 - int(BEGAN % 60)]
        assert [pairs[i].spend(guest, 2) for i in (0, 1, 0)][:2] == [0, 0]
        now[0] += 60 - BEGAN % 60
        assert pairs[1].spend(phone, 3) == 0

    def test_a_cookie_of_another_service_is_refused(self) -> None:
        """Each service signs with a key of its own, and names its cookie by it."""
        one, other = Pairing(self.open("a")), Pairing(self.open("b"))
        _, token = one.pair(one.invite(), name="phone", address="192.0.2.1")
        assert one.cookie != other.cookie
        assert one.token(one.signed(token)) == token
        assert not other.token(one.signed(token))
        assert other.device(token) is None

    def test_recognising_a_device_is_quick(self) -> None:
        """It costs no request more than two milliseconds of this process."""
        pairing = Pairing(self.open())
        _, token = pairing.pair(pairing.invite(), name="phone", address="192.0.2.1")
        began = time.process_time()
        for _ in range(500):
            assert pairing.device(token)
        assert time.process_time() - began < 1


class TestSQLiteDevices(DevicesContract):
    """A file of their own."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def open(self, name: str = "d") -> SQLiteDevices:
        """Open the file."""
        return SQLiteDevices(self.folder / f"{name}.sqlite")


@pytest.mark.needs_postgres
class TestSharedDevices(DevicesContract):
    """The database of a catalogue."""

    @pytest.fixture(autouse=True)
    def _databases(self, new_database: Callable[[], str]) -> Iterator[None]:
        self.address = defaultdict(new_database)
        self.opened: list[SharedDevices] = []
        yield
        for store in self.opened:
            store.close()

    def open(self, name: str = "d") -> SharedDevices:
        """Connect to the database."""
        self.opened.append(SharedDevices(self.address[name]))
        return self.opened[-1]


def test_a_catalogue_that_is_a_file_does_not_hold_them(tmp_path: Path) -> None:
    """They lie beside it, so that it may be given away; the tables are not even there."""
    database = tmp_path / "c.sqlite"
    with Catalogue(database):
        pairing(Settings(database=str(database))).invite()
    assert (tmp_path / "c.devices.sqlite").is_file()
    assert b"access_" not in database.read_bytes()
