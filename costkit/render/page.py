"""A picture in a web page of its own, with the answer as text below it: one file, no scripts, no network."""

from __future__ import annotations

from html import escape

from costkit.render.harmless import harmless

_STYLE = (
    ":root{color-scheme:light dark}body{max-width:1020px;margin:2rem auto;padding:0 1rem;"
    "font-family:system-ui,sans-serif}svg{max-width:100%;height:auto}pre{overflow-x:auto}"
)


def html_page(title: str, picture: str, answer: str) -> str:
    """The page; `picture` is SVG, title and answer are plain text."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(harmless(title))}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        f"{picture}<pre>{escape(answer)}</pre>\n</body>\n</html>\n"
    )
