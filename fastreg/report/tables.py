"""Tables as HTML, in a frame that scrolls by keyboard where they are wider than the page."""

from __future__ import annotations

from collections.abc import Sequence

from .text import escaped


def heads(names: Sequence[str], kind: str = "num") -> str:
    """Return titles of columns of one kind."""
    return "".join(f'<th scope="col" class="{kind}">{escaped(name)}</th>' for name in names)


def cell(text: str) -> str:
    """Return a number in a table."""
    return f'<td class="num">{escaped(text)}</td>'


def table(caption: str, head: str, body: str, *, kind: str = "", body_id: str = "") -> str:
    """Return a table.

    Parameters
    ----------
    caption : str
        What it holds, for those who do not see it.
    head, body : str
        The titles, and the rows.
    kind : str
        Class of the table.
    body_id : str
        How the script finds the rows.
    """
    name = escaped(caption)
    rows = f'<tbody id="{body_id}">' if body_id else "<tbody>"
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{name}"><table class="{kind}">'
        f'<caption class="hidden">{name}</caption><thead><tr>{head}</tr></thead>{rows}{body}</tbody>'
        "</table></div>"
    )
