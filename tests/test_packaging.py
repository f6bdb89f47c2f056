"""What is installed is what was reviewed: the price book byte for byte, from a wheel, an sdist and the repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

import costkit

ROOT = Path(__file__).parent.parent
PRICING = (ROOT / "pricing.yaml").read_bytes()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and an sdist, built offline with the backend that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("dist")
    build = (
        "import os, sys; os.chdir(sys.argv[1]); from hatchling import build;"
        "build.build_sdist(sys.argv[2]); build.build_wheel(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", build, str(ROOT), str(folder)], check=True, capture_output=True)
    return folder


def test_the_wheel_holds_the_price_book_byte_for_byte(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        assert wheel.read("costkit/pricing.yaml") == PRICING


def test_the_wheel_holds_types_schemas_and_data(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    expected = {"py.typed", "schemas/estimate.json", "compiled/pricing.json", "adapters/limits.yaml"}
    expected |= {"adapters/tokens/overheads.yaml"}
    assert {f"costkit/{name}" for name in expected} <= names


def test_the_wheel_holds_nothing_but_the_package(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        folders = {name.split("/")[0] for name in wheel.namelist()}
    assert folders == {"costkit", f"costkit-{costkit.__version__}.dist-info"}


def test_the_sdist_holds_the_price_book_and_the_examples(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        root = f"costkit-{costkit.__version__}"
        names = sdist.getnames()
        book = sdist.extractfile(f"{root}/pricing.yaml")
        assert book is not None
        assert book.read() == PRICING
    assert f"{root}/examples/support-agent.json" in names


@pytest.mark.parametrize(
    ("pattern", "options", "folder"),
    [
        ("*.whl", {"format": "zip"}, "."),
        ("*.tar.gz", {"format": "gztar", "filter": "data"}, f"costkit-{costkit.__version__}"),
    ],
    ids=["wheel", "sdist"],
)
def test_the_price_book_is_found_without_the_repository(
    built: Path, pattern: str, options: dict[str, Any], folder: str, tmp_path: Path
) -> None:
    shutil.unpack_archive(next(built.glob(pattern)), tmp_path, **options)
    home = (tmp_path / folder).resolve()
    code = "import costkit, sys; print(costkit.__file__, len(costkit.load_price_book().models))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(home)},
    )
    assert done.stdout.startswith(str(home))
    assert done.stdout.split()[-1] == "29"


def test_importing_costkit_imports_nothing_heavy() -> None:
    code = (
        "import sys, costkit; heavy = {'anthropic', 'tiktoken', 'ctok', 'rich', 'yaml', 'typer', 'decimal'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_every_public_name_can_be_loaded() -> None:
    assert all(getattr(costkit, name) is not None for name in costkit.__all__)
