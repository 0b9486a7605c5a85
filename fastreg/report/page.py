"""The whole page: sections put into the template, with style and script inside."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template

from .extra import Extra
from .lines import block, pack
from .path_section import Mark, path_section, y_axis
from .record_sections import certificate_section, headline_facts, record_section, verdict
from .text import escaped, json_block
from .view import PathView

# What each section is called in the list of contents.
CONTENTS = {
    "path": "Coefficients",
    "choice": "Cross-validation",
    "stability": "Stability",
    "certificates": "Certificates",
    "record": "Run record",
}


def make_page(
    view: PathView, *, title: str | None = None, details: Mapping[str, str], extras: Sequence[Extra] = ()
) -> str:
    """Return the page as one string of HTML that needs nothing but itself.

    Parameters
    ----------
    view : PathView
        The path.
    title : str, optional
        Title; by default what was fitted.
    details : mapping of str to str
        Further rows of the run record.
    extras : sequence of Extra
        Further sections.
    """
    lines = pack(view)
    marks = _marks(view, extras)
    wanted = [view.nearest(extra.start) for extra in extras if extra.start is not None]
    start = next((k for k in wanted if k is not None), view.start)
    sections = {"path": path_section(lines, marks, start)}
    sections |= {extra.name: extra.html for extra in extras}
    sections |= {"certificates": certificate_section(view), "record": record_section(view, details)}
    data = block(lines, y_axis(lines), [mark.plain for mark in marks], start) if view.alphas.size else {}
    is_proven, words = verdict(view)
    script = _file("report.js")
    kind, (n, p) = f"{view.kind} path", view.shape
    size = f"{n:,} rows and {p:,} features"
    return Template(_file("page.html")).substitute(
        title=escaped(title or kind[:1].upper() + kind[1:]),
        subtitle=escaped(f"{kind}, {size}" if title else size),
        verdict_class="proven" if is_proven else "unproven",
        verdict_mark="\u2713" if is_proven else "!",
        verdict=escaped(words),
        headline=headline_facts(view),
        contents="".join(
            f'<li><a href="#{name}">{text}</a></li>' for name, text in CONTENTS.items() if name in sections
        ),
        sections="\n".join(sections[name] for name in CONTENTS if name in sections),
        style=_file("report.css"),
        script=script,
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=json_block(data),
        # Looked up, not imported: imports only go down, and the package itself stands above its modules.
        version=escaped(sys.modules["fastreg"].__version__),
    )


def _marks(view: PathView, extras: Sequence[Extra]) -> list[Mark]:
    """Return the alphas that sections name and this path reaches, where they stand on it."""
    named = [(label, view.nearest(alpha)) for extra in extras for label, alpha in extra.marks]
    return [Mark(label, k) for label, k in named if k is not None]


def _file(name: str) -> str:
    """Return a file of this package; line ends are those that the hash of the script was taken with."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def write_page(path: str | os.PathLike[str], page: str) -> None:
    """Write the page to exactly this path; a reader never meets half a file."""
    target = os.fspath(path)
    partial = f"{target}.{os.getpid()}.partial"
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        os.replace(partial, target)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
