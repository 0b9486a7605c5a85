"""Text and numbers on their way into HTML and JSON: nothing that came from a user is ever markup."""

from __future__ import annotations

import html
import json
import math
import re
from typing import Any

# Characters of a name that are kept: the rest could fill the page, and no one reads it.
LONGEST_NAME = 160
# Digits of the numbers in the page, a float32's worth; ``save`` keeps all.
DIGITS = 7
# What HTML and UTF-8 cannot hold: control characters but tab and newline, halves of surrogate pairs,
# noncharacters.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
DASH, TIMES, MINUS, ELLIPSIS, UNKNOWN = "\u2013", "\u00d7", "\u2212", "\u2026", "\ufffd"


def clean(text: object) -> str:
    """Return the text with what cannot be written replaced."""
    return UNWRITABLE.sub(UNKNOWN, str(text))


def short(name: object) -> str:
    """Return a name of a bearable length."""
    text = clean(name)
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + ELLIPSIS


def escaped(text: object) -> str:
    """Return text as it stands in HTML, in an attribute as well as between tags."""
    return html.escape(clean(text), quote=True)


def number(value: float, digits: int = 4) -> str:
    """Return a number for the eye: significant digits, a true minus sign, a dash where there is none.

    Examples
    --------
    >>> number(0.000012345), number(1234567.0), number(float("nan")) == DASH
    ('1.234e-5', '1.235e6', True)
    """
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return ("" if value > 0 else MINUS) + "\u221e"
    text = f"{value + 0.0:.{digits}g}"
    if "e" in text:
        mantissa, _, power = text.partition("e")
        text = f"{mantissa}e{int(power)}"
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def percent(share: float) -> str:
    """Return a share as per cent with two decimals, a dash where there is none."""
    # Adding zero turns the -0.0 of rounding into 0.0.
    return DASH if math.isnan(share) else f"{round(100.0 * share, 2) + 0.0:.2f} %".replace("-", MINUS)


def rounded(value: float) -> float | int | None:
    """Return a number as JSON holds it, to ``DIGITS`` significant digits; None where it is not finite."""
    if not math.isfinite(value):
        return None
    kept = float(f"{value:.{DIGITS}g}")
    # "3" takes less room than "3.0", and JavaScript knows no difference.
    return int(kept) if kept.is_integer() and abs(kept) < 1e15 else kept


def json_block(data: Any) -> str:
    """Return data as JSON that may stand in a script element, whatever the strings hold."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    # A name may spell the end of the element or the start of a comment: no angle bracket remains.
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
