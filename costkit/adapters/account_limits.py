"""The rate limits of account tiers: those that come with costkit, and a file of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from costkit.adapters.compiled import compiled_copy
from costkit.adapters.pricing_fields import (
    as_choice,
    as_day,
    as_items,
    as_month_or_day,
    as_name,
    as_text,
    as_whole_number,
    fields,
    named,
)
from costkit.adapters.strict_yaml import read_tree, refusals_as
from costkit.adapters.yaml_tree import Mapping as MappingNode
from costkit.adapters.yaml_tree import Node, from_plain, parse_tree
from costkit.core.pricebook import PriceBook
from costkit.errors import InvalidInput, InvalidPricing, UnknownModel
from costkit.estimate.account import AccountTier, Bucket

SCHEMA = "costkit/limits@1"
NAMES = ("start", "build", "scale")
"""The tiers that come with costkit."""
_BUILT_IN = "built-in limits"
_PACKAGED = Path(__file__).parent / "limits.yaml"
_CONFIDENCES = ("official", "derived")
_RATES = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")


def account_tier(name: str, book: PriceBook) -> AccountTier:
    """The limits of a tier by its name, or the only tier of a file of the same format.

    Raises `InvalidInput`, with file and line where there is one, for a file that breaks a rule of the format, names a
    model that the price book doesn't know, or holds several tiers.
    """
    with refusals_as("invalid-limits"):
        if name in NAMES:
            return _tiers(_packaged(), book)[name]
        if not Path(name).suffix and not Path(name).exists():
            hint = f"known: {', '.join(NAMES)}; or name a file with your own limits"
            raise InvalidInput(f"--tier {name!r} is neither a tier nor a file", hint=hint)
        tiers = _tiers(read_tree(name, "a file of limits"), book)
    if len(tiers) != 1:
        raise InvalidInput(f"holds {len(tiers)} tiers: keep the one of your account", where=name)
    return next(iter(tiers.values()))


def _packaged() -> MappingNode:
    data = _PACKAGED.read_bytes()
    copy = compiled_copy(_PACKAGED.stem, hashlib.sha256(data).hexdigest())
    tree = None if copy is None else from_plain(copy, _BUILT_IN)
    return tree if isinstance(tree, MappingNode) else parse_tree(data, _BUILT_IN)


def _tiers(root: MappingNode, book: PriceBook) -> Mapping[str, AccountTier]:
    given = fields(root, "the file of limits", ("schema", "checked", "sources", "tiers"))
    as_choice(given["schema"], "schema", (SCHEMA,))
    checked = as_day(given["checked"], "checked")
    sources = {key: _source(value, f"sources: {key}") for key, (_, value) in named(given["sources"], "sources").items()}
    found = {
        name: _tier(name, value, sources, checked, book)
        for name, (_, value) in named(given["tiers"], "tiers").items()
    }  # fmt: skip
    if not found:
        raise InvalidPricing("tiers is empty", where=given["tiers"].where)
    return found


def _source(node: Node, what: str) -> str:
    given = fields(node, what, ("what", "seen"), ("url",))
    as_month_or_day(given["seen"], f"{what}: seen")
    if "url" in given:
        as_text(given["url"], f"{what}: url")
    return as_text(given["what"], f"{what}: what")


def _tier(name: str, node: Node, sources: Mapping[str, str], checked: date, book: PriceBook) -> AccountTier:
    given = fields(node, name, ("source", "limits"), ("batch",))
    source = sources[as_choice(given["source"], f"{name}: source", sources)]
    owners: dict[str, str] = {}
    buckets = tuple(_bucket(item, f"{name}: limits", owners, book) for item in as_items(given["limits"], name))
    queue = None
    if "batch" in given:
        batch = fields(given["batch"], f"{name}: batch", ("requests_in_queue",))
        queue = as_whole_number(batch["requests_in_queue"], f"{name}: requests_in_queue")
    return AccountTier(name, source, checked, buckets, queue)


def _bucket(node: Node, what: str, owners: dict[str, str], book: PriceBook) -> Bucket:
    given = fields(node, what, ("models", *_RATES), ("cache_reads_count", "confidence"))
    models = []
    for item in as_items(given["models"], f"{what}: models"):
        try:
            model = book.resolve(as_name(item, f"{what}: models")).id
        except UnknownModel as unknown:
            raise InvalidPricing(str(unknown), hint=unknown.hint, where=item.where) from None
        if owners.setdefault(model, item.where) != item.where:
            raise InvalidPricing(f"{model} already has limits, at {owners[model]}", where=item.where)
        if model in models:
            raise InvalidPricing(f"{model} is named twice", where=item.where)
        models.append(model)
    if not models:
        raise InvalidPricing(f"{what}: models is empty", where=given["models"].where)
    requests, inputs, outputs = (as_whole_number(given[name], f"{what}: {name}") for name in _RATES)
    reads = "cache_reads_count" in given and as_choice(given["cache_reads_count"], what, ("true", "false")) == "true"
    confidence = as_choice(given["confidence"], what, _CONFIDENCES) if "confidence" in given else _CONFIDENCES[0]
    return Bucket(tuple(models), requests, inputs, outputs, reads, confidence)
