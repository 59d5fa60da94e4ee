"""The command line, also where a library is missing that it is made of."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; what does not load is one sentence, or the report of `doctor`."""
    _open_closed_streams()
    try:
        from emotion_dj import cli

        cli.main()
    except ImportError as error:
        if (error.name or "").startswith("emotion_dj"):
            raise  # a mistake of ours
        sys.exit(_explained(error))


def _open_closed_streams() -> None:
    """Lead what a caller has closed of stdin, stdout and stderr nowhere.

    Else a file of ours, such as a catalogue, would get that number, and what libraries print.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - stderr's number
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - to the end
    os.close(number)


def _explained(error: ImportError) -> int:
    """Say what is missing and the line that brings it; return the exit code."""
    from emotion_dj import checkup, installation

    if sys.argv[1:] == ["doctor"]:
        sys.stdout.write(checkup.plainly())
        return 0
    cure = f"run  {installation.mend(checkup.library_of(error))}"
    sys.stderr.write(f"emotion-dj: a library is missing ({checkup.why(error)}): {cure}\n")
    return 8


if __name__ == "__main__":
    main()
