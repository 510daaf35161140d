# SPDX-License-Identifier: GPL-2.0
"""Whether the documents quote figures that there are."""

import re

from ..cache import TREE
from ..figures import blocks, collect, pages, quotes

# The data that belong to each picture.
PICTURES = {"demo": "demo", "slew": "slew"}


def figures(_context):
    """The pages' tables, quoted figures and pictures are those of Documentation/figures."""
    data = collect.read()
    texts = quotes.quotes(data)
    wrong, used = [], set()
    for file in pages.documents():
        page = file.read_text(encoding="utf-8")
        name = file.relative_to(TREE)
        try:
            wrong += [f"{name}: {sentence}" for sentence in pages.complaints(page, texts)]
            if pages.rewrite(page, data, texts) != page:
                wrong.append(f"{name}: a table is not that of the data: scripts/figures")
            for block in pages.shown(page):
                used.update(blocks.sources(block, data)[1])
            used.update(f"{quote.name.partition('.')[0]}.json" for quote in pages.quoted(page))
        except (KeyError, ValueError) as error:
            wrong.append(f"{name}: {error.args[0]}")
        used.update(re.findall(r"figures/(\w+\.svg)", page))
    wrong += [f"Documentation/figures/{picture}.svg is not of the commit of {name}.json"
              for picture, name in PICTURES.items()
              if name in data and pages.drawn(picture) != data[name]["commit"]]
    return wrong + [f"Documentation/figures/{file.name} is shown nowhere"
                    for file in sorted(collect.FOLDER.iterdir()) if file.name not in used]
