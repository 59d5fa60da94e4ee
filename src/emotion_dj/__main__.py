"""The command line, also where a library is missing that it is made of."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; what does not load is one sentence, or the report of `doctor`."""
    try:
        from emotion_dj import cli

        cli.main()
    except ImportError as error:
        if (error.name or "").startswith("emotion_dj"):
            raise  # a mistake of ours
        sys.exit(_explained(error))


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
