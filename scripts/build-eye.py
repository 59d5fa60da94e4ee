"""Builds the kernels of the page's eye: src/emotion_dj/web/kernels/*.c -> static/eye/eye.wasm.

The compiler is Zig's, from PyPI, in this very version, so that anybody gets the same bytes:

    pip install ziglang==0.17.1
    python scripts/build-eye.py
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

WEB: Final = Path(__file__).resolve().parents[1] / "src" / "emotion_dj" / "web"
BUILT: Final = WEB / "static" / "eye" / "eye.wasm"
ZIG: Final = "0.17.1"

FLAGS: Final = (
    *("--target=wasm32-freestanding", "-std=c17", "-O3", "-Wall", "-Wextra", "-Werror"),
    *("-msimd128", "-mbulk-memory", "-mnontrapping-fptoint", "-nostdlib"),
    *("-Wl,--no-entry", "-Wl,--export=__heap_base", "-Wl,--strip-all"),
)


def main() -> None:
    """Write the built file, or to where the argument says."""
    build(Path(sys.argv[1]) if sys.argv[1:] else BUILT)


def build(target: Path) -> None:
    """Compile into this file. Ends the program where the compiler is missing or another one."""
    if _zig() != ZIG:
        sys.exit(f"the compiler is missing or another one: run  pip install ziglang=={ZIG}")
    sources = sorted(path.name for path in (WEB / "kernels").glob("*.c"))
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(target.resolve()), *sources]
    subprocess.run(command, check=True, cwd=WEB / "kernels")
    target.chmod(0o644)  # it is data here, whatever the linker thinks


def _zig() -> str | None:
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
