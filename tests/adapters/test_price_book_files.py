"""Price books are found: the built-in one in every kind of installation, a user's own where it is said to be."""

import hashlib
from pathlib import Path

import pytest

from costkit.adapters import pricing_yaml
from costkit.adapters.pricing_yaml import built_in_book, load_book
from costkit.errors import ExitCode, InvalidInput, InvalidPricing

DATA = Path(pricing_yaml.__file__).parents[1].joinpath("pricing.yaml").read_bytes()


def test_the_built_in_book_is_the_packaged_file_byte_for_byte() -> None:
    assert built_in_book().sha256 == hashlib.sha256(DATA).hexdigest()
    assert built_in_book().source == "built-in"


def test_a_checkout_without_links_still_finds_the_built_in_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "costkit"
    package.mkdir()
    (package / "pricing.yaml").write_text("../pricing.yaml\n")
    (tmp_path / "pricing.yaml").write_bytes(DATA)
    monkeypatch.setattr(pricing_yaml, "_PACKAGED", package / "pricing.yaml")
    assert built_in_book.__wrapped__().sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_broken_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing_yaml, "_PACKAGED", tmp_path / "costkit" / "pricing.yaml")
    with pytest.raises(InvalidPricing, match="the built-in price book is missing"):
        built_in_book.__wrapped__()


def test_a_users_book_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_bytes(DATA)
    book = load_book(path)
    assert (book.source, len(book.models)) == (str(path), 29)


@pytest.mark.parametrize("name", ["missing.yaml", ".", "nul\0byte"])
def test_a_file_that_cannot_be_read_is_invalid_input(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="can't read the price book") as caught:
        load_book(tmp_path / name)
    assert caught.value.exit_code is ExitCode.INVALID
    assert not isinstance(caught.value, InvalidPricing)
