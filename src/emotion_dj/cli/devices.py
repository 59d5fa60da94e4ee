"""emotion-dj devices: who is let in to a service that others can reach."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from emotion_dj.cli.console import Database, Json, out, print_json, say, shown
from emotion_dj.errors import InputError

if TYPE_CHECKING:
    from emotion_dj.pairing import PairedDevice, Pairing

app = typer.Typer(
    help="Devices that were let in to a service that others can reach.", no_args_is_help=True
)


@app.command("list")
def listed(*, database: Database = None, as_json: Json = False) -> None:
    """Name every device, its role, and when it was paired and last seen."""
    devices = _pairing(database).devices()
    if as_json:
        print_json({"devices": [asdict(device) for device in devices]})
        return
    for device in devices:
        out().print(_line(device), markup=False, soft_wrap=True)
    if not devices:
        say("no device was paired: emotion-dj serve --lan  prints a link that pairs one")


@app.command("revoke")
def revoke(
    device: Annotated[str, typer.Argument(help="The id, as `devices list` prints it.")],
    *,
    database: Database = None,
) -> None:
    """Let a device in no more, from now on."""
    if not _pairing(database).revoke(device):
        msg = f"no device has the id '{device}':  emotion-dj devices list  names them all"
        raise InputError(msg)
    say(f"device {shown(device)} is let in no more")


@app.command("invite")
def invite(
    *,
    guest: Annotated[
        bool, typer.Option("--guest", help="For somebody who may listen and show a face only.")
    ] = False,
    listener: Annotated[
        str | None,
        typer.Option(help="For somebody with a taste of their own, by a name: anna."),
    ] = None,
    database: Database = None,
) -> None:
    """Print a code that pairs one device, once, within ten minutes."""
    from emotion_dj.pairing import Role

    if guest and listener is not None:
        msg = "a guest teaches no taste: say --guest or --listener"
        raise typer.BadParameter(msg)
    pairing = _pairing(database)
    if listener is not None:
        code = pairing.invite(Role.LISTENER, listener)
    else:
        code = pairing.invite(Role.GUEST if guest else Role.OWNER)
    out().print(code, markup=False)
    say("type it where the page asks for it, or open  ADDRESS/pair?code=CODE  there")


def _line(device: PairedDevice) -> str:
    times = (datetime.fromtimestamp(at, UTC).astimezone() for at in (device.paired, device.seen))
    paired, seen = (f"{at:%Y-%m-%d %H:%M}" for at in times)
    role = device.listener if device.role == "listener" else device.role
    return f"{device.id}  {role:8}  paired {paired}, seen {seen}  {shown(device.name)}"


def _pairing(database: str | None) -> Pairing:
    from emotion_dj.app import settings
    from emotion_dj.app.devices import pairing

    return pairing(settings.load(database=database))
