"""What ships beside the package: a unit, a container's recipe, a wheel that comes out the same."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from emotion_dj.app import settings

ROOT = Path(__file__).resolve().parents[1]
PACKAGING = ROOT / "packaging"


def test_the_unit_is_valid_and_closed(tmp_path: Path) -> None:
    """Systemd finds nothing wrong with it, and rates what it leaves open at two or less."""
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "emotion-dj.service"
    text = (PACKAGING / "emotion-dj.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/emotion-dj/bin/emotion-dj", "/bin/true"), encoding="utf-8")
    verified = subprocess.run(
        [analyse, "verify", unit], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = subprocess.run(
        [analyse, "security", "--offline=true", unit], capture_output=True, text=True, check=False
    )
    level = re.search(r"exposure level for emotion-dj.service: ([0-9.]+)", rated.stdout)
    assert level, rated.stdout + rated.stderr
    assert float(level[1]) <= 2


def test_its_settings_are_understood() -> None:
    """The settings file beside the unit is read without a complaint."""
    chosen = settings.load(file=PACKAGING / "config.toml", environment={})
    assert (chosen.host, chosen.tls, chosen.log) == ("::", "own", "lines")


def test_the_container_runs_as_nobody_and_builds_on_what_is_named() -> None:
    """Two stages of one base that is an argument, no root at the end, a health check."""
    recipe = (PACKAGING / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"^FROM (\S+)", recipe, re.MULTILINE) == ["${BASE}", "${BASE}"]
    last = recipe.rpartition("FROM ")[2]
    assert "\nUSER 10001\n" in last
    assert "HEALTHCHECK" in last
    assert "/api/v1/health" in last


@pytest.mark.parametrize("file", ["compose.yaml", "compose-replicas.yaml"])
def test_the_compose_files_have_their_form(file: str) -> None:
    """Music is mounted read-only, our root too, and no secret has a value in it."""
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    services = yaml.safe_load((PACKAGING / file).read_text())["services"]
    ours = [each for each in services.values() if "build" in each]
    assert ours
    assert all(each["read_only"] is True and each["cap_drop"] == ["ALL"] for each in ours)
    mounts = [mount for each in services.values() for mount in each["volumes"]]
    assert [mount for mount in mounts if ":/music" in mount and not mount.endswith(":ro")] == []
    values = [value for each in services.values() for value in each.get("environment", {}).items()]
    secret = [value for name, value in values if "PASSWORD" in name or "://" in value]
    assert secret
    assert all("${" in value or "@" not in value for value in secret)


@pytest.mark.slow
def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """The wheel depends on the tree alone: not on the time, the umask or the folder."""
    pytest.importorskip("hatchling", reason="needs hatchling, which builds the wheel")
    digests = set()
    for n, mask in enumerate((0o022, 0o077)):
        out, copy = tmp_path / f"out{n}", tmp_path / f"tree{n}"
        ignored = shutil.ignore_patterns(".git", "__pycache__", "shared", ".venv", "*.pyc")
        shutil.copytree(ROOT, copy, ignore=ignored)
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        subprocess.run(
            build, cwd=copy, env=environment, umask=mask, check=True, capture_output=True
        )
        (wheel,) = out.glob("*.whl")
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
        names = zipfile.ZipFile(wheel).namelist()
        assert any(name.endswith("licenses/NOTICE") for name in names)
    assert len(digests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "audio", "tags", "tables", "requests"])
def test_damaged_input_gets_a_sentence(kind: str) -> None:
    """A few seconds of the attack find no crash, no hang and no error of others."""
    attack = [sys.executable, str(ROOT / "scripts" / "fuzz.py"), kind, "--seconds", "8"]
    done = subprocess.run(attack, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bill_of_materials_names_all_that_runs() -> None:
    """What the base and the page need is named with its licence, and so is every model."""
    command = [sys.executable, str(ROOT / "scripts" / "sbom.py"), "lan"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    kinds = {each["name"]: each for each in bill["components"]}
    assert {"numpy", "pillow", "av", "uvicorn", "h11", "segno"} <= set(kinds)
    models = [each for each in bill["components"] if each["type"] == "machine-learning-model"]
    assert len(models) >= 3
    libraries = [each for each in bill["components"] if each["type"] == "library"]
    licences = {each["name"]: each["licenses"][0]["license"]["name"] for each in libraries}
    assert [name for name, words in licences.items() if words == "unknown"] == []
    copyleft = {name for name, words in licences.items() if re.search(r"\bA?GPL", words)}
    assert copyleft == set()
