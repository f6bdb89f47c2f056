"""Looks at pages as people do: in a headless Chromium at a phone's and a desk's width, light and dark, and on paper."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here to look at the page with")
PHONE, DESK = 360, 1200
PAPER = {True: "rgb(13, 17, 23)", False: "rgb(255, 255, 255)"}
"""The background, by whether it is dark."""
_LEVELS = {"h1": [1], "h2": [2], "h3": [3]}
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=2000"
)
_FRAME = """<iframe id=f width={width} height=900 style="border:0" srcdoc="{page}"></iframe><script>
const parts = c => c.match(/[\\d.]+/g).map(Number);
const bright = c => {{
  const [r, g, b] = parts(c).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}};
const contrast = (a, b) => {{
  const [dark, light] = [bright(a), bright(b)].sort((x, y) => x - y);
  return (light + .05) / (dark + .05);
}};
f.onload = () => {{
  const d = f.contentDocument, w = f.contentWindow, box = e => e.getBoundingClientRect();
  const all = selector => [...d.querySelectorAll(selector)], style = e => w.getComputedStyle(e);
  const behind = e => {{
    for (; e; e = e.parentElement) if ((parts(style(e).backgroundColor)[3] ?? 1) > 0) return style(e).backgroundColor;
    return "rgb(255, 255, 255)";
  }};
  const spoken = all("body *").filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
  const inked = e => e.closest("svg") ? style(e).fill : style(e).color;
  const found = {{
    hidden: all("h1,h2,figure,svg.figure,table,article,li").filter(
      e => !e.closest("details") && !(box(e).width > 0 && box(e).height > 0)).length,
    wide: all("body *").filter(e => !e.closest("svg,.scroll") && box(e).right > w.innerWidth + 1).length,
    scrolls: d.documentElement.scrollWidth > w.innerWidth,
    faint: spoken.filter(e => !e.matches("title") && contrast(inked(e), behind(e)) < 4.5).map(e => e.outerHTML),
    cut: all("svg.figure text").filter(e => {{
      const [own, whole] = [box(e), box(e.closest("svg.figure"))];
      const beyond = [whole.left - own.left, own.right - whole.right, own.bottom - whole.bottom];
      return own.width > 0 && Math.max(...beyond) > 1;
    }}).map(e => e.textContent),
    small: all("svg.figure text").filter(e => box(e).height > 0 && box(e).height < 9).length,
    paper: style(d.body).backgroundColor,
    inner: w.innerWidth,
  }};
  const seen = document.createElement("p");
  seen.id = "seen";
  seen.textContent = JSON.stringify(found);
  document.body.replaceChildren(seen);
}}</script>"""


def assert_looks_right(page: Path, folder: Path, *, width: int, dark: bool) -> None:
    """Nothing is hidden, cut off, too faint or too small, and the console stays silent."""
    html = page.read_text(encoding="utf-8")
    done = browse(_FRAME.format(width=width, page=escape(html)), folder, dark=dark)
    seen = re.search(r'<p id="seen">(.*?)</p>', done.stdout)
    assert seen is not None
    found = json.loads(seen[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    nothing = {"hidden": 0, "wide": 0, "scrolls": False, "faint": [], "cut": [], "small": 0}
    assert found == {**nothing, "paper": PAPER[dark], "inner": width}
    assert "CONSOLE" not in done.stderr


def browse(html: str, folder: Path, *, dark: bool = False) -> subprocess.CompletedProcess[str]:
    """What Chromium makes of a page, with its console on stderr."""
    path = folder / "looked-at.html"
    path.write_text(html, encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    return _run(folder, "--dump-dom", scheme, "--window-size=1400,1000", path.as_uri())


def printed(page: Path, folder: Path) -> bytes:
    """The page on paper, as PDF."""
    target = folder / "printed.pdf"
    _run(folder, f"--print-to-pdf={target}", "--no-pdf-header-footer", page.as_uri())
    return target.read_bytes()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BROWSER), *_FLAGS.split(), f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=True)


@dataclass(slots=True)
class Outline:
    """What a screen reader goes by."""

    tags: list[str]
    links: list[str]
    """What the page would fetch."""
    headings: list[int]
    unlabelled: list[str]
    """Parts that don't say what they are."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outline = Outline([], [], [], [])
        self._captions = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given, outline = dict(attrs), self.outline
        outline.tags.append(tag)
        outline.links += [given[name] or "" for name in ("src", "href", "srcset", "xlink:href") if name in given]
        outline.headings += _LEVELS.get(tag, [])
        picture = given.get("role") == "img" and not (given.get("aria-label") or given.get("aria-labelledby"))
        bare = {
            "svg": "x" not in given and "role" not in given and "aria-hidden" not in given,
            "th": "scope" not in given,
            "html": "lang" not in given,
        }
        outline.unlabelled += [str(self.get_starttag_text())] * (picture or bare.get(tag, False))


def outline_of(page: Path) -> Outline:
    """Read a page as a program."""
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.outline


def assert_readable_by_all(page: Path) -> None:
    """Nothing is fetched, no script; one main heading, no level left out; tables and pictures say what they are."""
    outline = outline_of(page)
    assert outline.links == ["data:,"]
    assert not {"script", "img", "iframe", "object"} & set(outline.tags)
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(following - level <= 1 for level, following in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.unlabelled == []
    assert outline.tags.count("table") == outline.tags.count("caption")
