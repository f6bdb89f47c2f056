"""Rules that tell what a request needs, offline and explainably: each answer names the rule and what it saw.

They read English words, code and sizes. They are a starting point and no evidence: `route evaluate` says on graded
results whether a choice of models that follows them is better than a coin with the same odds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from costkit.core.request import Request
from costkit.route.kinds import Kind, Reason, Verdict
from costkit.route.signals import Signals, signals_of

_FENCE = re.compile(r"```|~~~")
_CODE_LINE = re.compile(
    r"^[ \t]*(?:def \w+\(|class \w+[(:{]|import [\w.]+;?$|from [\w.]+ import |#include|func \w+\(|fn \w+\("
    r"|public class |(?:const|let|var) \w+ ?=|SELECT\b.+\bFROM\b|Traceback \(most recent call last\)"
    r"|at [\w.$]+\(.*:\d+\))",
    re.MULTILINE,
)
_CODE_WORDS = re.compile(
    r"\b(?:python|javascript|typescript|java|rust|golang|kotlin|sql|regex|regular expression|bash|dockerfile|refactor"
    r"|debug|stack ?trace|traceback|compiler|unit tests?|pull request|codebase|source code|api endpoint)\b",
    re.IGNORECASE,
)
_CODE_TOOLS = re.compile(r"^(?:bash|text_editor|str_replace|code_execution|computer)", re.IGNORECASE)
_REASONING_WORDS = re.compile(
    r"\b(?:prove|proof|theorem|derive|step[ -]by[ -]step|root cause|trade-?offs?|diagnose|justify|solve|puzzle|critique"
    r"|analy[sz]e|optimi[sz]e|think (?:hard|carefully|through)|strategy|architecture)\b",
    re.IGNORECASE,
)
_PLAIN_VERB = re.compile(
    r"^(?:please |kindly |can you |could you )*"
    r"(translate|summari[sz]e|classify|categori[sz]e|extract|rephrase|paraphrase|reformat|proofread|tag|label)\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)]|[a-z]\)) +\S", re.MULTILINE)
_HIGH_EFFORTS = ("high", "xhigh", "max")
_MANY_TOOLS = 10
_MANY_MESSAGES = 30
_SEVERAL_PARTS = 5
_SEVERAL_QUESTIONS = 4
_SHORT_ANSWER_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Sizes:
    """Where short ends and long begins, in characters."""

    short_task: int = 300
    plain_prompt: int = 12_000
    """A longer prompt is never simple."""
    long_prompt: int = 40_000
    """A prompt of this length is complex."""


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A rule of the user's own: what a task needs that contains one of a few phrases."""

    name: str
    contains: tuple[str, ...]
    """Phrases, found as whole words whatever their case."""
    complexity: str | None = None
    code: bool | None = None
    reasoning: bool | None = None


def classify(request: Request, sizes: Sizes | None = None, own: Sequence[OwnRule] = ()) -> Verdict:
    """Say what a request needs; the first of the user's own rules that has something to say wins over the others."""
    signals, sizes = signals_of(request), sizes or Sizes()
    hits = [(rule, phrase) for rule in own if (phrase := _phrase_in(signals.task, rule)) is not None]
    code, code_reason = _needs("code", hits, _code_reason(signals))
    reasoning, reasoning_reason = _needs("reasoning", hits, _reasoning_reason(signals))
    complexity, complexity_reason = _complexity(signals, sizes, hits, code=code, reasoning=reasoning)
    reasons = (complexity_reason, code_reason, reasoning_reason)
    return Verdict(Kind(complexity, code, reasoning), tuple(reason for reason in reasons if reason is not None))


_Hits = Sequence[tuple[OwnRule, str]]


def _phrase_in(task: str, rule: OwnRule) -> str | None:
    for phrase in rule.contains:
        if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", task, re.IGNORECASE):
            return phrase
    return None


def _needs(about: str, hits: _Hits, found: Reason | None) -> tuple[bool, Reason | None]:
    for rule, phrase in hits:
        own: bool | None = getattr(rule, about)
        if own is not None:
            return own, Reason(about, rule.name, f"the task contains {phrase!r}")
    return found is not None, found


def _code_reason(signals: Signals) -> Reason | None:
    if _FENCE.search(signals.task):
        return Reason("code", "code-fence", "the task holds a fenced block")
    line = _CODE_LINE.search(signals.task)
    if line:
        return Reason("code", "code-line", f"the task holds a line of code: {_excerpt(line.group())}")
    word = _CODE_WORDS.search(signals.task)
    if word:
        return Reason("code", "code-word", f"the task says {_excerpt(word.group())}")
    tool = next((name for name in signals.tools if _CODE_TOOLS.match(name)), None)
    return Reason("code", "code-tool", f"the tool {tool} works on code") if tool else None


def _reasoning_reason(signals: Signals) -> Reason | None:
    if signals.thinks:
        return Reason("reasoning", "thinking-on", "the body switches thinking on")
    word = _REASONING_WORDS.search(signals.task)
    return Reason("reasoning", "reasoning-word", f"the task says {_excerpt(word.group())}") if word else None


def _complexity(
    signals: Signals, sizes: Sizes, hits: _Hits, *, code: bool, reasoning: bool
) -> tuple[str, Reason]:  # fmt: skip
    for rule, phrase in hits:
        if rule.complexity is not None:
            return rule.complexity, Reason("complexity", rule.name, f"the task contains {phrase!r}")
    for rule_name, because in _complex(signals, sizes, both=code and reasoning):
        return "complex", Reason("complexity", rule_name, because)
    for rule_name, because in _simple(signals, sizes) if not (code or reasoning) else ():
        return "simple", Reason("complexity", rule_name, because)
    return "moderate", Reason("complexity", "otherwise", "no rule says simple or complex")


def _complex(signals: Signals, sizes: Sizes, *, both: bool) -> Iterator[tuple[str, str]]:
    if signals.effort in _HIGH_EFFORTS:
        yield "high-effort", f"the body asks for effort {signals.effort}"
    if signals.characters >= sizes.long_prompt:
        yield "long-prompt", f"{signals.characters:,} characters, {sizes.long_prompt:,} or more"
    if len(signals.tools) >= _MANY_TOOLS:
        yield "many-tools", f"{len(signals.tools)} tools, {_MANY_TOOLS} or more"
    if signals.messages >= _MANY_MESSAGES:
        yield "long-conversation", f"{signals.messages} messages, {_MANY_MESSAGES} or more"
    items = len(_ITEM.findall(signals.task))
    if items >= _SEVERAL_PARTS:
        yield "several-parts", f"the task lists {items} items, {_SEVERAL_PARTS} or more"
    questions = signals.task.count("?")
    if questions >= _SEVERAL_QUESTIONS:
        yield "several-questions", f"the task has {questions} question marks, {_SEVERAL_QUESTIONS} or more"
    if both:
        yield "code-and-reasoning", "it needs code and reasoning"


def _simple(signals: Signals, sizes: Sizes) -> Iterator[tuple[str, str]]:
    if signals.characters > sizes.plain_prompt:
        return
    verb = _PLAIN_VERB.search(signals.task)
    if verb:
        yield "plain-verb", f"the task begins with {_excerpt(verb.group(1))}"
    if signals.max_tokens is not None and signals.max_tokens <= _SHORT_ANSWER_TOKENS:
        yield "short-answer", f"max_tokens is {signals.max_tokens}, {_SHORT_ANSWER_TOKENS} or less"
    if len(signals.task) <= sizes.short_task and not signals.media and not signals.tools:
        yield "short-task", f"{len(signals.task)} characters, {sizes.short_task} or less, without tools or files"


def _excerpt(text: str) -> str:
    return repr(" ".join(text.split())[:40])
