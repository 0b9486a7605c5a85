"""Exponential and logarithm from arithmetic alone, so that loops of them go several rows at a time.

A call of the C library's function stops LLVM from doing that and costs several times as much. Coefficients
are minimax polynomials (Remez) whose own error is below 5e-18; what is left is rounding.
"""

from __future__ import annotations

from .._jit import MAGIC, fused_part, power_of_two

# Beyond these the exponential of float64 is infinite or zero.
HIGHEST, LOWEST = 710.0, -750.0
# ln 2 in two parts: products of the first with the powers that occur are exact.
LN2_HIGH, LN2_LOW, LOG2_E = 0.6931467056274414, 4.7493250390316726e-07, 1.4426950408889634


@fused_part
def exponential(x):  # type: ignore[no-untyped-def]
    """Return e^x to one unit in the last place, for any float64."""
    # Comparisons instead of min and max: NaN stays NaN.
    x = HIGHEST if x > HIGHEST else x
    x = LOWEST if x < LOWEST else x
    # Adding MAGIC rounds to an integer: x = k ln 2 + r.
    k = (x * LOG2_E + MAGIC) - MAGIC
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    a = 2.7557582787488275e-06 + r * (2.762992056786513e-07 + r * 2.5000742455567026e-08)
    b = 0.0013888888942554308 + r * (0.00019841269512723555 + r * (2.480149410263869e-05 + r * a))
    c = 0.16666666666666421 + r * (0.04166666666653482 + r * (0.008333333333490262 + r * b))
    value = 1.0 + (r + r * r * (0.500000000000001 + r * c))
    # In two factors: the result may be subnormal, or overflow where one factor 2^k would be neither.
    half = (0.5 * k + MAGIC) - MAGIC
    return value * power_of_two(half) * power_of_two(k - half)


@fused_part
def log_one_plus(t):  # type: ignore[no-untyped-def]
    """Return ln(1 + t) to two units in the last place, for 0 <= t <= 1."""
    s = t / (2.0 + t)
    z = s * s
    # ln(1 + t) = 2 artanh(s) = t - t^2/2 + s (t^2/2 + R): the same without the rounding of s in front.
    a = 0.1330367369217867 + z * (0.12086174121448248 + z * (0.0842177018730792 + z * 0.16875675966823211))
    b = 0.22222223610293693 + z * (0.18181755343628686 + z * (0.15386337452213997 + z * a))
    rest = z * (0.6666666666666651 + z * (0.40000000000096825 + z * (0.285714285543972 + z * b)))
    half = 0.5 * t * t
    return t - (half - s * (half + rest))
