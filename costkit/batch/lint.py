"""Lint before money: every line of the input is checked, and a few bytes are remembered of each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import pairwise

from costkit.batch.canonical import Item, LineProblem, RawLine, Shape, read_item
from costkit.batch.digest import Digest
from costkit.batch.rules import Checked, Rules
from costkit.estimate.sample import text_size

SHOWN_PROBLEMS = 20
"""How many problems are told in full; all are counted."""
_AT_ONCE = 1 << 18
_Lines = list[bytes]
_MANY_PROBLEMS = 1_000
_CACHE, _ESCAPED = b'"cache_control"', b"\\u00"
_SERVER_TOOLS = ("web_search", "web_fetch", "code_execution", "mcp_toolset", "advisor")
OPENING, COMMA, CLOSING = b'{"requests":[', b",", b"]}"
"""What stands around and between the lines in the body of a create call."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with one line."""

    line: int
    """From 1; 0 where it is about the whole file."""
    code: str
    """Stable and kebab-case, for scripts."""
    message: str
    custom_id: str | None


@dataclass(frozen=True, slots=True)
class ModelRequests:
    """How many of the requests go to one model."""

    model: str
    requests: int


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """How many problems there are of one kind."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class LintReport:
    """What is in a batch input, and what is wrong with it."""

    path: str
    requests: int
    """Lines that are not blank."""
    bytes: int | None
    """Of the canonical lines, newlines not counted; `None` where there are problems."""
    digest: str | None
    """SHA-256 of the canonical lines, each followed by a newline; `None` where there are problems."""
    models: tuple[ModelRequests, ...]
    """In order of first appearance; empty where there are problems."""
    problems: tuple[Problem, ...]
    """The first ones, by line."""
    problems_total: int
    problem_counts: tuple[ProblemCount, ...]
    """Most frequent first."""


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that are priced alike: one model, one geography."""

    model: str
    inference_geo: str | None


@dataclass(slots=True)
class Manifest:
    """What is remembered of each request of an input: fixed small columns, in input order."""

    lengths: array[int] = field(default_factory=lambda: array("I"))
    """Bytes of the canonical line."""
    starts: array[int] = field(default_factory=lambda: array("i"))
    """Where the params stand in their line; see `costkit.batch.canonical.Item`."""
    marks: array[int] = field(default_factory=lambda: array("q"))
    """`line_mark` of the canonical line: one that changed is noticed before it is sent."""
    numbers: array[int] = field(default_factory=lambda: array("Q"))
    """Line in the file."""
    groups: array[int] = field(default_factory=lambda: array("H"))
    """Which of `group_list`."""
    text_bytes: array[int] = field(default_factory=lambda: array("I"))
    """Bytes that token counts go along with; see `costkit.estimate.sample.text_size`."""
    max_tokens: array[int] = field(default_factory=lambda: array("Q"))
    ids: bytearray = field(default_factory=bytearray)
    """All custom_ids, one after the other."""
    id_lengths: array[int] = field(default_factory=lambda: array("B"))
    group_list: list[Group] = field(default_factory=list)
    with_server_tools: int = 0
    """How many requests have tools that the API runs: what they read is not in the request."""
    with_breakpoints: int = 0
    """How many requests ask for caching."""
    body_sha256: str = ""
    """Of the one body that holds all lines."""

    def __len__(self) -> int:
        return len(self.lengths)

    def custom_ids(self) -> Iterator[tuple[int, int, str]]:
        """The items in input order: (index, line in the file, custom_id)."""
        at = 0
        for index, (number, length) in enumerate(zip(self.numbers, self.id_lengths, strict=True)):
            yield index, number, self.ids[at : at + length].decode("ascii")
            at += length


@dataclass(frozen=True, slots=True)
class Linted:
    """The answer of `lint_lines`: for people, and for what comes next."""

    report: LintReport
    manifest: Manifest | None
    """`None` where there are problems: nothing may be sent."""


def line_mark(line: bytes) -> int:
    """64 bits by which a canonical line is known again, within this process."""
    return hash(line)


def lint_lines(path: str, lines: Iterable[RawLine], shape: Shape, rules: Rules) -> Linted:
    """Check every line of an input; memory grows by some 50 bytes and the id a line, whatever else the lines hold.

    `path` is only told. Raises nothing for what is wrong with lines: that is in the report's `problems`.
    """
    fold = _Fold()
    for line in lines:
        try:
            item = read_item(line, shape)
        except LineProblem as problem:
            fold.refuse(line, [(problem.code, problem.message)], problem.custom_id)
            continue
        marked = _CACHE in item.data
        may_cache = marked or (b"\\" in item.data and _ESCAPED in item.data)
        checked = rules.check(item.params, may_cache=may_cache)
        if isinstance(checked, Checked):
            fold.take(line, item, checked, marked=marked)
        else:
            fold.refuse(line, checked, item.custom_id)
    return fold.linted(path)


@dataclass(slots=True)
class _Fold:
    """What is known after some of the lines."""

    manifest: Manifest = field(default_factory=Manifest)
    lines: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    _groups: dict[tuple[str, object], int] = field(default_factory=dict)
    _digest: Digest = field(default_factory=Digest)
    _body: Digest = field(default_factory=lambda: Digest(OPENING))
    _waiting: _Lines = field(default_factory=list)
    """Lines that are not digested yet: many at once take less time."""
    _waiting_bytes: int = 0
    _digested: bool = False

    def refuse(self, line: RawLine, found: Iterable[tuple[str, str]], custom_id: str | None) -> None:
        """Note what is wrong with a line; of many problems the first are kept."""
        self.lines += 1
        if custom_id is not None:
            self._remember_id(line, custom_id)
        for code, message in found:
            self.counts[code] += 1
            if len(self.problems) < SHOWN_PROBLEMS:
                self.problems.append(Problem(line.number, code, message, custom_id))

    def take(self, line: RawLine, item: Item, checked: Checked, *, marked: bool) -> None:
        """Remember a line that is right; `marked` says that it holds `cache_control`."""
        self.lines += 1
        self._remember_id(line, item.custom_id)
        if self.problems:  # nothing will be sent: only more problems are of interest
            return
        manifest, size = self.manifest, len(item.data)
        self.bytes += size
        self._waiting.append(item.data)
        self._waiting_bytes += size
        if self._waiting_bytes >= _AT_ONCE:
            self._digest_waiting()
        manifest.lengths.append(size)
        manifest.starts.append(item.start)
        manifest.marks.append(line_mark(item.data))
        manifest.groups.append(self._group(checked.model.id, item.params.get("inference_geo")))
        manifest.text_bytes.append(text_size(checked.request, size))
        manifest.max_tokens.append(checked.max_tokens)
        manifest.with_server_tools += _has_server_tools(item.params)
        manifest.with_breakpoints += marked

    def _group(self, model: str, geo: object) -> int:
        """Which of `group_list` a request belongs to; counts it."""
        self.models[model] += 1
        known = self._groups.get((model, geo))
        if known is None:
            known = self._groups[model, geo] = len(self._groups)
            self.manifest.group_list.append(Group(model, geo if isinstance(geo, str) else None))
        return known

    def _digest_waiting(self) -> None:
        if not self._waiting:
            return
        self._waiting.append(b"")  # each line of the digest ends with a newline, the last one too
        self._digest.update(b"\n".join(self._waiting))
        self._waiting[-1:] = []
        if self._digested:
            self._waiting.insert(0, b"")
        self._body.update(COMMA.join(self._waiting))
        self._digested = True
        self._waiting.clear()
        self._waiting_bytes = 0

    def _remember_id(self, line: RawLine, custom_id: str) -> None:
        self.manifest.numbers.append(line.number)
        self.manifest.ids += custom_id.encode("ascii")
        self.manifest.id_lengths.append(len(custom_id))

    def linted(self, path: str) -> Linted:
        """Close: that ids are used twice is only known now."""
        if self.lines == 0:
            self._tell(Problem(0, "empty-input", "holds no requests", None))
        for problem in _duplicates(self.manifest):
            self._tell(problem)
        total = sum(self.counts.values())
        self._digest_waiting()
        self._body.update(CLOSING)
        self.manifest.body_sha256 = self._body.hexdigest()
        report = LintReport(
            path,
            self.lines,
            None if total else self.bytes,
            None if total else self._digest.hexdigest(),
            () if total else tuple(ModelRequests(model, requests) for model, requests in self.models.items()),
            tuple(nsmallest(SHOWN_PROBLEMS, self.problems, key=lambda problem: problem.line)),
            total,
            tuple(ProblemCount(code, count) for code, count in self.counts.most_common()),
        )
        return Linted(report, None if total else self.manifest)

    def _tell(self, problem: Problem) -> None:
        self.counts[problem.code] += 1
        self.problems.append(problem)
        if len(self.problems) > _MANY_PROBLEMS:
            self.problems = nsmallest(SHOWN_PROBLEMS, self.problems, key=lambda kept: kept.line)


def _duplicates(manifest: Manifest) -> Iterator[Problem]:
    """Every use of an id after its first: hashes of all ids first, then an exact look at those that are alike."""
    hashes = sorted(hash(custom_id) for _, _, custom_id in manifest.custom_ids())
    alike = {left for left, right in pairwise(hashes) if left == right}
    del hashes
    first: dict[str, int] = {}
    for _, number, custom_id in manifest.custom_ids() if alike else ():
        if hash(custom_id) not in alike:
            continue
        if custom_id in first:
            message = f"custom_id {custom_id!r} is already used in line {first[custom_id]:,}"
            yield Problem(number, "duplicate-custom-id", message, custom_id)
        else:
            first[custom_id] = number


def _has_server_tools(params: Mapping[str, object]) -> bool:
    """Whether the API runs tools of its own: each round reads the request again, and more than it holds."""
    tools = params.get("tools")
    if tools is None:
        return bool(params.get("mcp_servers"))
    kinds = [str(tool.get("type")) for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []
    return bool(params.get("mcp_servers")) or any(kind.startswith(_SERVER_TOOLS) for kind in kinds)
