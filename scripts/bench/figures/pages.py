# SPDX-License-Identifier: GPL-2.0
"""The places in the documents where figures stand.

A block, which is written anew as a whole:

    .. figures: NAME

    what blocks.py makes of it

    .. figures end

or the rows of it that have one of these cells: ".. figures: NAME: CELL; CELL".

And a quotation, a comment below a paragraph that names the figures in it,

    Arming takes 32 more, with a node's queue and lock 146.

    .. quotes: 32 cost.raw_more; 146 cost.node_more

which is an error if the paragraphs above it, as far as the last such comment or heading, do not
have the figure, or the data files have another one.
"""

from dataclasses import dataclass
import re

from ..cache import TREE
from . import blocks

_BLOCK = re.compile(r"^\.\. figures: ([\w.-]+)(?:: ([^\n]+))?\n.*?^\.\. figures end$", re.M | re.S)
_QUOTES = re.compile(r"^ *\.\. quotes: (.*(?:\n +(?!\.\.)\S.*)*)", re.M)
_QUOTE = re.compile(r"(.+) ([a-z_\d-]+\.[a-z_\d]+)")
# What ends the text that a quotation is about, going up.
_BORDER = re.compile(r"^(?: *\.\. (?:quotes|figures).*|([=\-~`'\"^])\1{3,})$", re.M)


@dataclass(frozen=True)
class Quote:
    text: str           # as the page has it
    name: str
    line: int
    begin: int          # of the text in which it has to stand
    end: int

    def found(self, page):
        """Where it stands, as often as it does."""
        return list(re.finditer(rf"(?<![\w.,]){re.escape(self.text)}(?![\w%]|[.,]\d)"
                                .replace(r"\ ", r"\s+"), page[self.begin:self.end]))


def documents():
    return [TREE / "README.rst", *sorted((TREE / "Documentation").rglob("*.rst"))]


def quoted(page):
    """The quotations in a page's text; ValueError for one that cannot be read."""
    found = []
    for match in _QUOTES.finditer(page):
        borders = [border.end() for border in _BORDER.finditer(page, 0, match.start())]
        for part in " ".join(match[1].split()).split("; "):
            if not (words := _QUOTE.fullmatch(part)):
                raise ValueError(f"cannot be read: .. quotes: {part}")
            found.append(Quote(words[1], words[2], page.count("\n", 0, match.start()) + 1,
                               max(borders, default=0), match.start()))
    return found


def complaints(page, figures):
    """Sentences about quotations that are not what the data say; figures: {name: text}."""
    try:
        quotes = quoted(page)
    except ValueError as error:
        return [str(error)]
    wrong = []
    for quote in quotes:
        if quote.name not in figures:
            wrong.append(f"line {quote.line}: there is no figure {quote.name}")
        elif figures[quote.name] != quote.text:
            wrong.append(f"line {quote.line}: {quote.name} is {figures[quote.name]}, "
                         f"not {quote.text}")
        elif not quote.found(page):
            wrong.append(f"line {quote.line}: the text above does not say {quote.text}")
    return wrong


def _requote(page, quote, figures):
    """The page with what a quotation is now, where it stands in one place."""
    new = figures.get(quote.name)
    places = quote.found(page)
    if new is None or new == quote.text or len(places) != 1:
        return page
    comment = page.index(f"{quote.text} {quote.name}", quote.end)
    page = page[:comment] + new + page[comment + len(quote.text):]
    begin, end = (quote.begin + place for place in places[0].span())
    return page[:begin] + new + page[end:]


def rewrite(page, data, figures, folder=blocks.FOLDER):
    """The page's text with all blocks anew, and all quotations."""
    for number in range(len(quoted(page))):
        page = _requote(page, quoted(page)[number], figures)

    def block(match):
        lines = blocks.lines(match[1], data, folder)
        if match[2]:
            lines = blocks.only(lines, set(match[2].split("; ")))
        return "\n".join([match[0].partition("\n")[0], "", *lines, "", ".. figures end"])
    return _BLOCK.sub(block, page)


def shown(page):
    """The names of a page's blocks."""
    return [match[1] for match in _BLOCK.finditer(page)]


def drawn(picture, folder=blocks.FOLDER):
    """The commit that a picture is of; None if there is no such picture."""
    file = folder / f"{picture}.svg"
    found = file.exists() and re.search(r"<dc:source>([^<]*)</dc:source>",
                                        file.read_text(encoding="utf-8"))
    return found[1] if found else None
