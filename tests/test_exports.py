"""What the package gives to its users, and that nothing of ours reaches past it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import emotion_dj
from emotion_dj.app.facade import EmotionDJ
from emotion_dj.app.library import Library
from emotion_dj.app.services import Services
from emotion_dj.app.taste import Taste

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(emotion_dj.__file__).parent

PUBLIC = {
    EmotionDJ: "add combine library mix of read reader_card recommend relative resting save "
    "services taste watch",
    Library: "add candidates changes check current demand_songs everything export forget "
    "forget_source import_table is_indexed moods near numbers refresh rescan rows scan search "
    "sizes tag tracks turn untag",
    Services: "artwork audio available_sinks can_stream devices login logout play player "
    "report_feedback resolved save sink source source_of spotify start",
    Taste: "add correct export offsets played preferences preferences_near report reset summary",
}
"""Every name of the facade; what is added here is kept from release to release."""


def test_the_package_exports_one_class_and_its_version() -> None:
    """`from emotion_dj import *` brings these two, and no other name is promised."""
    names: dict[str, object] = {}
    exec("from emotion_dj import *", names)  # noqa: S102 - what a user may type
    assert set(names) - {"__builtins__"} == set(emotion_dj.__all__) == {"EmotionDJ", "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'DJ'"):
        emotion_dj.DJ  # noqa: B018 - looked up in vain


@pytest.mark.parametrize("kind", PUBLIC)
def test_the_facade_has_these_names(kind: type) -> None:
    """No more and no fewer, each with a docstring and a type for all that it takes and gives."""
    names = {name for name in vars(kind) if not name.startswith("_")}
    assert names == set(PUBLIC[kind].split())
    for name in names:
        member = inspect.getattr_static(kind, name)
        call = getattr(member, "fget", None) or member
        assert inspect.getdoc(call), name
        if inspect.isfunction(call):
            signature = inspect.signature(call)
            given = [each for each in signature.parameters.values() if each.name != "self"]
            types = [signature.return_annotation, *(each.annotation for each in given)]
            assert inspect.Signature.empty not in types, name


def test_nothing_reaches_past_the_facade() -> None:
    """Command line, service, examples and the plug-in for beets touch no private name of others."""
    files = [
        *(PACKAGE / "cli").rglob("*.py"),
        *(PACKAGE / "web").rglob("*.py"),
        *(PACKAGE.parent / "beetsplug").rglob("emotion*.py"),
        *(ROOT / "examples").rglob("*.py"),
    ]
    past = [
        f"{path.name}:{node.lineno} {node.attr}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in {"_asdict", "_exit"}  # public, of named tuples and of os
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    ]
    assert past == []
