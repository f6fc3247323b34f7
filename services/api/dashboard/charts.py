"""A phase or segment through time, drawn as an SVG document of its own."""

import math
import sys

import pygal
from pygal.style import Style

from services.api.dashboard.figures import STEP_MS, Figure
from services.api.dashboard.texts import Words
from services.contract.phases import Phase

# pygal puts a finder of its map plugins among Python's, of a make that Python no longer takes; we
# draw no maps.
sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, pygal.PluginImportFixer)]

COLOURS: dict[Phase, str] = {
    "see": "#5b7fa6",
    "think": "#c98a1b",
    "do": "#c2513c",
    "care": "#3f8f6b",
}
SEGMENT_COLOUR = "#5b7fa6"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_CALM = """inline:
.axis .guide.line, .axis .major.guide.line { stroke: #dfe4e8; }
.axis.x .guide.line { stroke: none; }
.axis .line { stroke: #b9c2ca; }
.serie-1 .reactive { stroke-linecap: round; }
.serie-2 .reactive { stroke-width: 1; }"""
_DARK = """inline:
@media (prefers-color-scheme: dark) {
  .axis text, .axis text.major { fill: #a9b4c0; }
  .axis .guide.line, .axis .major.guide.line { stroke: #34404d; }
  .axis.x .guide.line { stroke: none; }
  .axis .line { stroke: #55636f; }
  .serie-2 .reactive { stroke: #a9b4c0; }
}"""


def draw(figure: Figure, colour: str, words: Words) -> bytes:
    """The past filled under a solid line, what comes as a dashed line, and a line for now."""
    top = _round_up(max(*figure.past, *figure.ahead, 4))
    end_ms = figure.now_ms + len(figure.ahead) * STEP_MS
    chart = pygal.XY(
        width=640,
        height=240,
        style=_style(colour),
        css=("file://style.css", "file://graph.css", _CALM, _DARK),
        js=(),
        no_prefix=True,
        disable_xml_declaration=False,
        show_legend=False,
        show_dots=False,
        margin=6,
        range=(0, top),
        xrange=(figure.from_ms, end_ms),
        y_labels=[0, top / 2, top],
        x_labels=words.months_between(figure.from_ms, end_ms),
        x_value_formatter=lambda at_ms: words.month(int(at_ms)),
        value_formatter=words.number,
    )
    now = (figure.now_ms, figure.past[-1])
    past = [(figure.moment(i), count) for i, count in enumerate(figure.past[:-1])]
    ahead = [(figure.now_ms + (i + 1) * STEP_MS, n) for i, n in enumerate(figure.ahead)]
    chart.add("past", [*past, now], fill=True)
    chart.add("ahead", [now, *ahead], stroke_style={"dasharray": "7, 6"})
    chart.add("now", [(figure.now_ms, 0), (figure.now_ms, top)])
    drawn: bytes = chart.render()
    return drawn


def _style(colour: str) -> Style:
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="#5a6672",
        foreground_strong="#5a6672",
        foreground_subtle="#e3e7eb",
        colors=(colour, colour, "#5a6672"),
        opacity=".18",
        opacity_hover=".18",
        stroke_width="2.5",
        stroke_opacity="1",
        transition="0s",
        font_family=_FONT,
        label_font_size=15,
        major_label_font_size=15,
        guide_stroke_dasharray="0",
        major_guide_stroke_dasharray="0",
    )


def _round_up(value: float) -> int:
    """The next number that halves well: 4, 6, 8, 10, 20, 40 and so on."""
    size = 10 ** math.floor(math.log10(value))
    for step in (1, 2, 4, 6, 8, 10):
        if value <= step * size:
            return int(max(step * size, 4))
    return int(10 * size)
