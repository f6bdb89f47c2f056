"""The shipped data files in parsed form: importing PyYAML and parsing would take a third of a short command's time.

`costkit/compiled/NAME.json` holds what parsing the YAML file gives, and the SHA-256 of the bytes that it was made from.
It is only used for exactly those bytes; a changed file is parsed, so an outdated copy can't give a wrong number.
`.ci/compile-data` writes the copies, and a test says when one is missing.
"""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "compiled"


def compiled_copy(name: str, sha256: str) -> object | None:
    """The parsed form of a shipped file whose bytes have this digest; `None` where there is none."""
    try:
        copy = json.loads((FOLDER / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return copy["value"] if isinstance(copy, dict) and copy.get("sha256") == sha256 else None


def shipped_data(path: Path) -> object:
    """The content of a YAML file that comes with costkit, as plain dicts, lists, texts and numbers."""
    from hashlib import sha256

    data = path.read_bytes()
    copy = compiled_copy(path.stem, sha256(data).hexdigest())
    return parse_data(data) if copy is None else copy


def parse_data(data: bytes) -> object:
    """Parse a shipped YAML file; days stay text, as in its compiled copy."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return json.loads(json.dumps(yaml.load(data, Loader=loader), default=str))  # noqa: S506  a safe loader
