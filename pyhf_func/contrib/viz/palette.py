"""The colours of all pictures."""

from __future__ import annotations

import colorsys

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
ONE_SIGMA, TWO_SIGMA = "#7AC74F", "#FFE74C"
"""Green and yellow: the bands of one and two standard deviations, alike in every picture."""
LINES = ("#C2004E", "#000000", "#5E3C99", "#1B7837")
"""Lines over stacks."""
UNKNOWN = "#D0D0D0"
"""For numbers that could not be computed."""

_SERIES = ("#56B4E9", ORANGE, GREEN, "#CC79A7", "#F0E442", BLUE, RED, "#999999", "#B2DF8A", "#CAB2D6")
"""Colours that can be told apart by everyone (Okabe and Ito, 2008), and two more."""
_SHADES = (1.0, 0.55, 1.25, 0.4)


def series(n: int) -> list[str]:
    """Colours for ``n`` things side by side, no two alike as long as there are forty or fewer.

    Ten hues in their own lightness, then darker, lighter, and darker still.

    Example:
        >>> len(set(series(25))), series(1)
        (25, ['#56B4E9'])
    """
    return [_shade(_SERIES[i % len(_SERIES)], _SHADES[i // len(_SERIES) % len(_SHADES)]) for i in range(n)]


def _shade(colour: str, factor: float) -> str:
    """A colour of the same hue with its lightness multiplied, not quite to white."""
    if factor == 1.0:
        return colour
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    shaded = colorsys.hls_to_rgb(hue, min(lightness * factor, 0.9), saturation)
    return "#" + "".join(f"{round(255 * part):02X}" for part in shaded)
