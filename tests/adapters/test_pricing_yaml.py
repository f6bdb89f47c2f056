"""Price book files are read strictly: whatever looks odd is refused, with its file and line."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest
import yaml

from costkit.adapters.pricing_yaml import parse_book
from costkit.adapters.yaml_tree import MOST_BYTES
from costkit.core.pricebook import Lifecycle, PriceBook
from costkit.core.rates import Rates
from costkit.errors import ExitCode, InvalidPricing

BOOK = """\
schema: costkit/pricing@1
checked: 2026-11-01
currency: USD
modifiers:
  batch_multiplier: 0.5
  web_search_usd: 0.01
  source: page
  checked: 2026-11-01
sources:
  page: {what: a price page, url: "https://example.com/prices", seen: 2026-10}
models:
  model-a:
    aliases: [model-a-latest]
    lifecycle: {released: 2026-01-01, deprecated: null, retired: 2026-12-31, note: "soon"}
    context_window: 200000
    max_output_tokens: 64000
    min_cacheable_tokens: 1024
    tokenizer: v4.8
    image_tier: standard
    inference_geo: {us: 1.1}
    prices:
      - effective_from: 2026-01-01
        tiers:
          - {up_to: 1000, input: 0.20, output: 1, cache_write_5m: 0.25, cache_write_1h: 0.4, cache_read: 0.02}
          - {up_to: 2000, input: 0.30, output: 1, cache_write_5m: 0.25, cache_write_1h: 0.4, cache_read: 0.02}
          - {             input: 0.40, output: 1, cache_write_5m: 0.25, cache_write_1h: 0.4, cache_read: 0.02}
        source: page
        checked: 2026-11-01
        confidence: official
      - effective_from: 2026-06-01
        rates: {input: "0.20", output: 1, cache_write_5m: 0.25, cache_write_1h: 0.4, cache_read: 0.02}
        source: page
        checked: 2026-11-01
        confidence: derived
    fast:
      - effective_from: 2026-02-01
        effective_until: 2026-03-31
        rates: {input: 2, output: 8, cache_write_5m: 2.5, cache_write_1h: 4, cache_read: 0.2}
        source: page
        checked: 2026-11-01
        confidence: official
      - effective_from: 2026-05-01
        rates: {input: 1, output: 4, cache_write_5m: 1.25, cache_write_1h: 2, cache_read: 0.1}
        source: page
        checked: 2026-11-01
        confidence: official
  model-b:
    lifecycle: {released: 2026-01-01}
    context_window: 200000
    max_output_tokens: 64000
    min_cacheable_tokens: 1024
    tokenizer: v3
    image_tier: standard
    prices:
      - effective_from: 2026-01-01
        rates: {input: 3, output: 15, cache_write_5m: 3.75, cache_write_1h: 6, cache_read: 0.3}
        source: page
        checked: 2026-11-01
        confidence: official
    notes: ["a note"]
"""


def parse(text: str, base: PriceBook | None = None) -> PriceBook:
    return parse_book(text.encode(), "book.yaml", base)


def refusal(text: str, base: PriceBook | None = None) -> InvalidPricing:
    with pytest.raises(InvalidPricing) as caught:
        parse(text, base)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.INVALID
    return caught.value


def changed(old: str, new: str) -> tuple[str, int]:
    """The book with its first `old` replaced, and the line where the replacement begins."""
    before, found, after = BOOK.partition(old)
    assert found
    return before + new + after, before.count("\n") + 1


def test_a_complete_book_is_read_field_by_field() -> None:
    book = parse(BOOK)
    model = book.resolve("model-a-latest")
    assert (book.source, book.checked, book.batch_multiplier) == ("book.yaml", date(2026, 11, 1), Decimal("0.5"))
    assert book.web_search_usd == Decimal("0.01")
    assert book.sha256 == hashlib.sha256(BOOK.encode()).hexdigest()
    assert (book.sources["page"].what, book.sources["page"].seen) == ("a price page", "2026-10")
    assert model.lifecycle == Lifecycle(date(2026, 1, 1), None, date(2026, 12, 31), "soon")
    assert (model.context_window, model.max_output_tokens, model.min_cacheable_tokens) == (200_000, 64_000, 1024)
    assert (model.tokenizer, model.image_tier, model.geo_multipliers) == ("v4.8", "standard", {"us": Decimal("1.1")})
    assert [tier.up_to for tier in model.periods[0].tiers] == [1000, 2000, None]
    assert model.periods[1].tiers[0].rates == Rates(*map(Decimal, ("0.20", "1", "0.25", "0.4", "0.02")))
    assert (model.periods[1].source, model.periods[1].confidence) == ("page", "derived")
    assert model.fast_periods[0].effective_until == date(2026, 3, 31)
    assert book.resolve("model-b").notes == ("a note",)


def test_a_rate_is_read_from_its_text_to_the_last_digit() -> None:
    text, _ = changed("input: 0.20", "input: 0.123456789012")
    assert parse(text).resolve("model-a").periods[0].tiers[0].rates.input == Decimal("0.123456789012")


@pytest.mark.parametrize(
    "rate",
    ["1e-1", "-1", "+1", ".5", "5.", "0x1", "1_000", "NaN", ".inf", "010", "1:30", "", "null", "yes", "[1]", "{a: 1}",
     "$1", "'1,5'", "'1e-1'", "1 2", "9999999999", "0.1234567890123", "٣"],
)  # fmt: skip
def test_a_rate_that_is_not_plain_digits_is_refused(rate: str) -> None:
    text, line = changed("input: 3,", f"input: {rate},")
    error = refusal(text)
    assert error.where == f"book.yaml:{line}"
    assert "model-b: prices: rates: input must be plain decimal digits" in str(error)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema: costkit/pricing@1", "schema: costkit/pricing@2", "schema is unknown: 'costkit/pricing@2'"),
        ("currency: USD", "currency: EUR", "currency is unknown: 'EUR'"),
        ("checked: 2026-11-01", "checked: 2026-11-31", "checked must be a day such as 2026-11-21, not '2026-11-31'"),
        ("checked: 2026-11-01", "checked: 20261101", "checked must be a day"),
        ("checked: 2026-11-01", "checked:", "checked must be a day"),
        ("batch_multiplier: 0.5", "batch_multiplier: 0", "batch_multiplier must be more than 0"),
        ("batch_multiplier: 0.5", "batch_multiplier: half", "batch_multiplier must be plain decimal digits"),
        ("source: page", "source: pag", "modifiers: source is unknown: 'pag'"),
        ("seen: 2026-10", "seen: 2026-13", "sources: page: seen must be a month or a day"),
        ("what: a price page", "what: ''", "sources: page must be text"),
        ("[model-a-latest]", "[model-a-latest, model-a-latest]", "model-a-latest is listed twice"),
        ("[model-a-latest]", "[model a]", "a name must not contain spaces"),
        ("[model-a-latest]", '["model\\e[31m"]', "must be one line without control characters"),
        ("[model-a-latest]", "model-a-latest", "model-a: aliases must be a list"),
        ("retired: 2026-12-31", "retired: 2025-12-31", "released, deprecated, retired must follow each other"),
        ("released: 2026-01-01, deprecated", "released: null, deprecated", "lifecycle: released must be a day"),
        ("context_window: 200000", "context_window: 200_000", "context_window must be a whole number in plain digits"),
        ("context_window: 200000", "context_window: 200000.0", "context_window must be a whole number"),
        ("context_window: 200000", "context_window: 0", "context_window must be a whole number"),
        ("tokenizer: v4.8", "tokenizer: v4.9", "model-a: tokenizer is unknown: 'v4.9'"),
        ("image_tier: standard", "image_tier: high", "model-a: image_tier is unknown: 'high'"),
        ("{us: 1.1}", "{us: 0}", "inference_geo: us must be more than 0"),
        ("confidence: official", "confidence: sure", "confidence is unknown: 'sure'"),
        ("up_to: 2000", "up_to: 1000", "up_to must rise from tier to tier"),
        ("up_to: 2000, ", "", "only the last tier may go without up_to"),
        ("{             input", "{up_to: 3000, input", "the last tier must have no up_to"),
        ("effective_until: 2026-03-31", "effective_until: 2026-01-31", "effective_until is before effective_from"),
        ("effective_until: 2026-03-31", "effective_to: 2026-03-31", "fast has an unknown key 'effective_to'"),
        ("model-b:", "model-a-latest:", "the name 'model-a-latest' already belongs to model-a"),
        ("model-b:", "litellm/Model-A[1m]:", "the name 'litellm/Model-A[1m]' already belongs to model-a"),
        ("model-b:", "model-a:", "duplicate key 'model-a', already on line 12"),
        ("currency: USD", "checked: 2026-11-02", "duplicate key 'checked', already on line 2"),
        ("currency: USD", "currancy: USD", "the price book has an unknown key 'currancy'"),
        ("  web_search_usd", "  web_serch_usd", "modifiers has an unknown key 'web_serch_usd'"),
        ("models:", "models: &all", "anchors and aliases (& and *) are not allowed"),
        ("currency: USD", "currency: *usd", "anchors and aliases (& and *) are not allowed"),
        ("currency: USD", "currency: !!str USD", "tags (!) are not allowed"),
        ("currency: USD", "currency: ! USD", "tags (!) are not allowed"),
        ("currency: USD", "<<: {currency: USD}", "unknown key '<<'"),
        ("currency: USD", "? [a]\n: b", "a key must be text"),
        ("currency: USD", "currency: U\x07SD", "has a control character '\\x07'"),
        ("currency: USD", "\tcurrency: USD", "not valid YAML"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_on_its_line(old: str, new: str, message: str) -> None:
    text, line = changed(old, new)
    error = refusal(text)
    assert message in str(error)
    assert error.where == f"book.yaml:{line}"


def test_an_alias_that_another_model_owns_is_refused_where_the_second_one_is() -> None:
    text, _ = changed("[model-a-latest]", "[openrouter/Model-B]")
    error = refusal(text)
    assert error.where == f"book.yaml:{text.partition('model-b:')[0].count(chr(10)) + 1}"
    assert "already belongs to model-a" in str(error)


def test_a_bracket_that_is_never_closed_is_not_yaml() -> None:
    assert "not valid YAML" in str(refusal(changed("[model-a-latest]", "[model-a-latest")[0]))


def test_a_second_document_is_refused() -> None:
    error = refusal(BOOK + "---\nschema: x\n")
    assert "has a second YAML document" in str(error)
    assert error.where == f"book.yaml:{BOOK.count(chr(10)) + 2}"


@pytest.mark.parametrize(
    "key",
    ["lifecycle", "context_window", "max_output_tokens", "min_cacheable_tokens", "tokenizer", "image_tier", "prices"],
)
def test_a_new_model_must_be_complete(key: str) -> None:
    root = yaml.safe_load(BOOK)
    del root["models"]["model-a"][key]
    assert str(refusal(yaml.safe_dump(root))).endswith(f"model-a has no {key}")


@pytest.mark.parametrize("rate", ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read"])
def test_a_missing_rate_is_refused(rate: str) -> None:
    root = yaml.safe_load(BOOK)
    del root["models"]["model-b"]["prices"][0]["rates"][rate]
    assert str(refusal(yaml.safe_dump(root))).endswith(f"model-b: prices: rates has no {rate}")


@pytest.mark.parametrize("rate", ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read"])
def test_a_tier_without_a_rate_is_refused(rate: str) -> None:
    root = yaml.safe_load(BOOK)
    del root["models"]["model-a"]["prices"][0]["tiers"][1][rate]
    assert str(refusal(yaml.safe_dump(root))).endswith(f"model-a: prices: tiers has no {rate}")


def test_a_missing_rate_is_reported_where_its_row_is() -> None:
    text, line = changed("{input: 3, output: 15, ", "{input: 3, ")
    assert refusal(text).where == f"book.yaml:{line}"


@pytest.mark.parametrize("key", ["effective_from", "source", "checked", "confidence"])
def test_a_period_says_since_when_and_where_from(key: str) -> None:
    root = yaml.safe_load(BOOK)
    del root["models"]["model-b"]["prices"][0][key]
    assert str(refusal(yaml.safe_dump(root))).endswith(f"model-b: prices has no {key}")


@pytest.mark.parametrize("key", ["schema", "checked", "currency", "modifiers", "sources", "models"])
def test_a_book_that_extends_nothing_must_be_complete(key: str) -> None:
    root = yaml.safe_load(BOOK)
    del root[key]
    assert f"the price book has no {key}" in str(refusal(yaml.safe_dump(root, sort_keys=False)))


def test_a_period_has_rates_or_tiers_but_not_both() -> None:
    assert "either rates or tiers" in str(refusal(changed("        tiers:", "        rates: {}\n        tiers:")[0]))
    neither = BOOK.replace("        rates: {input: 3,", "        # rates: {input: 3,")
    assert "either rates or tiers" in str(refusal(neither))


@pytest.mark.parametrize(("second", "message"), [("2026-01-01", "must be sorted"), ("2025-12-31", "must be sorted")])
def test_periods_out_of_order_are_refused_at_the_later_one(second: str, message: str) -> None:
    text, line = changed("effective_from: 2026-06-01", f"effective_from: {second}")
    error = refusal(text)
    assert message in str(error)
    assert error.where == f"book.yaml:{line}"


@pytest.mark.parametrize("second", ["2026-03-31", "2026-02-02"])
def test_a_period_that_begins_before_the_last_day_of_another_overlaps(second: str) -> None:
    text, line = changed("effective_from: 2026-05-01", f"effective_from: {second}")
    error = refusal(text)
    assert f"one lasts until 2026-03-31, the next begins on {second}" in str(error)
    assert error.where == f"book.yaml:{line}"


def test_only_fast_mode_may_end_without_a_successor() -> None:
    text, line = changed(
        "        confidence: derived", "        effective_until: 2026-07-01\n        confidence: derived"
    )
    error = refusal(text)
    assert "prices has an unknown key 'effective_until'" in str(error)
    assert error.where == f"book.yaml:{line}"


@pytest.mark.parametrize("empty", ["prices: []", "prices:", "prices: {}"])
def test_a_model_without_prices_is_refused(empty: str) -> None:
    head, _, rest = BOOK.partition("  model-b:")
    model, _, _ = rest.partition("    prices:")
    assert "model-b: prices" in str(refusal(f"{head}  model-b:{model}    {empty}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing but a comment\n", "the file is empty"),
        ("---\n", "the file is empty"),
        ("- a\n- b\n", "the top level must be a mapping"),
        ("just words", "the top level must be a mapping"),
        ("[" * 100_000, "nested deeper than 12 levels"),
        ("{a: " * 100_000, "nested deeper than 12 levels"),
        ("a: [\n" * 5_000, "nested deeper than 12 levels"),
        ("{}", "the price book has no schema"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_book_is_refused(text: str, message: str) -> None:
    assert message in str(refusal(text))


def test_a_typo_is_answered_with_the_word_that_was_meant() -> None:
    assert refusal(changed("currency: USD", "curency: USD")[0]).hint == "did you mean currency?"
    assert refusal(changed("confidence: official", "confidence: oficial")[0]).hint == "did you mean official?"


def test_bytes_that_are_not_utf_8_are_refused_on_their_line() -> None:
    with pytest.raises(InvalidPricing, match=r"book\.yaml:3: not valid UTF-8"):
        parse_book(b"a: 1\nb: 2\nc: \xff\n", "book.yaml", None)


def test_a_byte_order_mark_is_harmless() -> None:
    assert parse_book(b"\xef\xbb\xbf" + BOOK.encode(), "book.yaml", None).models == parse(BOOK).models


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidPricing, match="larger than 4 MiB"):
        parse_book(b"#" * (MOST_BYTES + 1), "book.yaml", None)


def test_the_pure_python_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parse(BOOK)
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse(BOOK) == fast
    assert "nested deeper" in str(refusal("[" * 2000))
    assert refusal(changed("input: 3,", "input: 3e0,")[0]).where == refusal(changed("input: 3,", "input: x,")[0]).where
