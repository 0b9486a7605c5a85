"""What a report is put together from: text, numbers, axes, lines."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from test_report import NASTY

from fastreg.report import chart
from fastreg.report.text import clean, json_block, number, rounded, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (0.5, "0.5"), (-2.0, "\u22122"), (1e-12, "1e-12"), (123456.0, "1.235e5"),
        (math.inf, "\u221e"), (-math.inf, "\u2212\u221e"), (math.nan, "\u2013"),
    ],
)  # fmt: skip
def test_numbers_for_the_eye(value, text):
    assert number(value) == text


def test_numbers_for_the_script():
    assert rounded(1 / 3) == 0.3333333
    assert rounded(2.0) == 2
    assert rounded(math.nan) is rounded(math.inf) is None
    values = np.random.default_rng(2).standard_normal(200) * 10.0 ** np.arange(-100, 100)
    back = json.loads(json_block([rounded(value) for value in values]))
    np.testing.assert_allclose(back, values, rtol=5.1e-7)


def test_json_and_names_are_safe_anywhere():
    text = json_block(list(NASTY))
    assert json.loads(text) == list(NASTY)
    assert not set("<>&\u2028") & set(text)
    assert clean("a\tb\x1bc") == "a\tb\ufffdc"
    assert len(short("x" * 10_000)) == 160


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (chart.Axis("", 0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (chart.Axis("", -3.0, 7.0), ["\u22122", "0", "2", "4", "6"]),
        (chart.Axis("", 1.0, 1e-4, is_log=True), ["1e-4", "0.001", "0.01", "0.1", "1"]),
        (chart.Axis("", 0.9, 0.1, is_log=True), ["0.1", "0.2", "0.5"]),
        (chart.Axis("", 2.0, 2.0), ["2"]),
        (chart.Axis("", 1.3, 1.2, is_log=True), ["1.2", "1.3"]),
    ],
)
def test_ticks_are_round(axis, labels):
    assert [text.replace("0.0001", "1e-4") for _, text in axis.ticks] == labels
    assert all(-1e-9 <= at <= 1.0 + 1e-9 for at, _ in axis.ticks)


def test_axes_never_overflow():
    axis = chart.padded("", np.array([-1.7e308, 1.7e308]))
    assert np.isfinite([axis.start, axis.stop]).all()
    np.testing.assert_allclose(axis.place(np.array([0.0])), 0.5)
    assert all(np.isfinite(at) for at, _ in axis.ticks)


def test_lines_break_where_there_is_no_value():
    assert chart.polyline(np.array([0.0, 0.5, 1.0]), np.array([1.0, np.nan, 0.0])) == "M0 0 M1000 1000"
