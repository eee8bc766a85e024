"""The page in a second language: its texts, looked up in a list of pairs of sentences."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

WORDS = Path(__file__).parent / "chinese.txt"
#: What a script says is written so in it, and looked up by itself.
SAID = re.compile(r'(?:say|control)\("((?:[^"\\]|\\.)*)"|\["[a-z]*", "([a-z][^"]*)"\]')
PLACE = re.compile(r"\{(\w+)\}")
SENTENCE = re.compile(r"(?<=\.)\s+(?=\S)")
LISTED = re.compile(r", | and ")
SILENT = {"script", "style", "pre", "code"}
#: Letters of a template below which it fits nearly anything, and has to fit names alone.
FEW = 6
#: Places that hold what is not of our words, and one that holds a single name of a list.
ANY = {"data": ".+?", "command": ".+?", "one": r"(?:(?! and |, |; |: ).)+?"}
WITHIN_SENTENCE = r"(?:(?!\. |; |: ).)+?"
NUMBER = r"[−+\-]?[\d.,]*\d(?:e[−\-]\d+)?"
LATIN = re.compile(r"[A-Za-z]{2}")


class Texts(HTMLParser):
    """Collect what a page says: the texts of its elements, and the labels that are read out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, None] = {}
        self.silent: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Leave out what is not to be translated, and all within it."""
        given = dict(attrs)
        if self.silent or tag in SILENT or given.get("translate") == "no":
            if tag not in ("meta", "link", "br", "hr", "img", "input"):
                self.silent.append(tag)
            return
        self._keep(given.get("aria-label") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Pass by an element without texts."""

    def handle_endtag(self, tag: str) -> None:
        """End what was left out."""
        if self.silent:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if not self.silent:
            self._keep(data)

    def _keep(self, text: str) -> None:
        if LATIN.search(text):
            self.found[" ".join(text.split())] = None


def dictionary(html: str, script: str) -> dict[str, str]:
    """Return English text → Chinese text, of all of a page and of its script that has one."""
    texts = [*Texts(html).found, *said_by(script)]
    pairs = {text: translate(text) for text in texts}
    return {text: chinese for text, chinese in pairs.items() if chinese != text}


def said_by(script: str) -> list[str]:
    """Return the texts that a script says, as templates."""
    return list(dict.fromkeys(a or b for a, b in SAID.findall(script)))


@cache
def pairs() -> dict[str, str]:
    """Return English text or template → Chinese one, as the list has them."""
    lines = [line for line in WORDS.read_text(encoding="utf-8").splitlines()
             if line and not line.startswith("#")]  # fmt: skip
    return dict(zip(lines[::2], lines[1::2], strict=True))


@cache
def _templates() -> list[tuple[re.Pattern[str], str, int]]:
    """Return the templates as patterns, those of most letters first."""
    templates = [
        (_pattern(english), chinese, len(re.findall("[A-Za-z]", PLACE.sub("", english))))
        for english, chinese in pairs().items()
        if PLACE.search(english)
    ]
    return sorted(templates, key=lambda one: -one[2])


def _pattern(template: str) -> re.Pattern[str]:
    """Make a template a pattern; a place named n or n_… holds a number, any other some text."""
    parts = PLACE.split(template)
    made = [re.escape(parts[0])]
    for name, after in zip(parts[1::2], parts[2::2], strict=True):
        inside = NUMBER if re.match("n(_|$)", name) else ANY.get(name, WITHIN_SENTENCE)
        made += [f"(?P<{name}>{inside})", re.escape(after)]
    return re.compile("".join(made))


@cache
def translate(text: str) -> str:
    """Translate a text as a whole, by a template, or part by part; else leave it as it is.

    What fills the places of a template is translated by itself.
    """
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    if not LATIN.search(text):
        return text
    known = pairs()
    lower = text[:1].lower() + text[1:]
    if text in known or lower in known:
        return known.get(text) or known[lower]
    for pattern, chinese, n_letters in _templates():
        if found := pattern.fullmatch(text):
            given = found.groupdict()
            filled = {name: translate(one) for name, one in given.items()}
            if n_letters < FEW and not all(_is_name(given[name], filled[name]) for name in given):
                continue
            if not all(map(_is_closed, given.values())):
                continue
            return PLACE.sub(lambda place, filled=filled: filled[place[1]], chinese)  # type: ignore[misc]
    return _by_parts(text)


def _is_closed(text: str) -> bool:
    """Return whether brackets close in a text that open in it."""
    depth = 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0


def _is_name(text: str, chinese: str) -> bool:
    """Return whether a text is translated, or needs none."""
    return chinese != text or " " not in text or not LATIN.search(text)


def _by_parts(text: str) -> str:
    """Translate sentence by sentence, part by part, or name by name."""
    sentences = SENTENCE.split(text)
    if len(sentences) > 1:
        return "".join(map(translate, sentences))
    if text.endswith("."):
        alone = translate(text[:-1])
        return text if alone == text[:-1] else f"{alone}。"
    if "; " in text:
        return "；".join(map(translate, text.split("; ")))
    if ": " in text:
        return "：".join(map(translate, text.split(": ", 1)))
    names = LISTED.split(text)
    if len(names) > 1 and all(_is_name(name, translate(name)) for name in names):
        return "、".join(map(translate, names))
    return text
