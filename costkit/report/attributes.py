"""What a response has beside its counts: the names that group it and select its price."""

from __future__ import annotations

from typing import NamedTuple


class Attributes(NamedTuple):
    """What is not counted: the same for many responses, so it is stored once."""

    model: str | None
    service_tier: str | None
    speed: str | None
    inference_geo: str | None
    session: str | None
    project: str | None
    path: str
    labels: tuple[str | None, ...]

    def with_modifiers_of(self, one: Attributes, other: Attributes) -> Attributes:
        """Tier, speed and geography are part of the usage: of two copies the larger counts, a missing one least."""
        tier, speed, geo = (max(pair, key=_weight) for pair in zip(one[1:4], other[1:4], strict=True))
        return self._replace(service_tier=tier, speed=speed, inference_geo=geo)

    def order(self) -> tuple[str, ...]:
        """An order for the rare copies that agree on time, path and offset; a missing value comes first."""
        texts = (self.model, self.session, self.project, *self.labels)
        return tuple("" if text is None else f"\1{text}" for text in texts)


def _weight(modifier: str | None) -> tuple[bool, bool, bool, str]:
    """What is known comes after what is not, and the fast mode, which costs more, last."""
    return (bool(modifier), modifier == "fast", modifier is not None, modifier or "")
