"""The numbers that findings rest on and that no log tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from costkit.advise.growth import CLEARED_TOKENS, KEPT_RESULTS, SUMMARY_TOKENS
from costkit.advise.models import SHORT_ANSWER, SHORT_PROMPT
from costkit.advise.repeats import STUB_TOKENS
from costkit.advise.result import Finding
from costkit.advise.tokenizers import growth
from costkit.advise.workload import Workload
from costkit.core.notice import Assumption

_OWN = "built in"
_BY_CODE: dict[str, tuple[Assumption, ...]] = {
    "repeated-tool-calls": (Assumption("reference_tokens", STUB_TOKENS, _OWN),),
    "growing-contexts": (
        Assumption("kept_tool_results", KEPT_RESULTS, "the default of the API's context editing"),
        Assumption("cleared_result_tokens", CLEARED_TOKENS, _OWN),
        Assumption("summary_tokens", SUMMARY_TOKENS, _OWN),
    ),
    "smaller-model": (
        Assumption("short_prompt_tokens", SHORT_PROMPT, _OWN),
        Assumption("short_answer_tokens", SHORT_ANSWER, _OWN),
    ),
    "batch-candidates": (Assumption("cache_reads_in_batches", 0, "they are best effort"),),
}


def assumptions_of(findings: Iterable[Finding], work: Workload) -> Iterator[Assumption]:
    """What the findings that save something were computed with."""
    codes = {finding.code for finding in findings if finding.saving_usd}
    for code, assumptions in _BY_CODE.items():
        if code in codes:
            yield from assumptions
    families = {call.model.tokenizer for call in work.calls}
    ratio = growth("v3", "v4.8")
    if codes & {"cheaper-successor", "smaller-model"} and "v3" in families:
        source = f"measured on texts in 250 languages and on 638 programs; {ratio.spoken}"
        yield Assumption("newer_tokenizer_per_older_token", str(Decimal(ratio.expected).scaleb(-2)), source)
