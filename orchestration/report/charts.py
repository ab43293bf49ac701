"""How the figures are drawn: Vega-Lite, written with Altair, without data and without colours.

The page gives each chart its rows (data set `rows`), with labels already in the reader's
language and locale, and the colours of the reader's theme. What a row's own colour says is
written beside it too: nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

Spec = dict[str, Any]
Chart = alt.LayerChart | alt.FacetChart
Words = Mapping[str, str]

ROWS = alt.NamedData(name="rows")
# Drawn by functions of the page, which know the reader's locale.
COMPACT: dict[str, Any] = {"format": "", "formatType": "compact"}
PERCENT: dict[str, Any] = {"format": "", "formatType": "percent"}
MONTH: dict[str, Any] = {"format": "", "formatType": "month"}


def chart_specs(words: Words) -> dict[str, Spec]:
    """Every chart by the name of its figure, in one language."""
    charts = {
        "trend": _trend(),
        "families": _ranked_bars(),
        "places": _ranked_bars(),
        "concentration": _concentration(words),
        "tiers": _pairs(words, "column.customer_share", "column.revenue_share"),
        "flow": _flow(),
        "moves": _moves(),
        "bridge": _bridge(),
        "value_risk": _value_risk(words),
        "clocks": _pairs(words, "column.respond", "column.resolve"),
        "categories": _ranked_bars(),
        "renewals": _renewals(words),
        "worklist": _ranked_bars(),
    }
    return {name: chart.to_dict() for name, chart in charts.items()}


def _sized(chart: Chart, height: int) -> Chart:
    """As wide as its place in the page, `height` pixels high."""
    return chart.properties(
        width="container",
        height=height,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )


def _listed(chart: Chart, row_height: int, room: int = 0) -> Chart:
    """As high as its rows need; the page counts them and adds the room for axis and legend."""
    return _sized(chart, room).properties(usermeta={"row_height": row_height, "room": room})


def _named(field: str, axis: alt.Axis | None = None) -> alt.Y:
    """Names down the side, in the order in which the page gives the rows."""
    return alt.Y(field, type="nominal", sort=None, title=None, axis=axis or alt.Axis())


def _trend() -> Chart:
    months = alt.X("month:O", title=None, axis=alt.Axis(**MONTH, labelAngle=0))
    revenue = alt.Y(
        "revenue:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(**COMPACT, tickCount=4)
    )
    base = alt.Chart(ROWS).encode(x=months, y=revenue, tooltip=["tip:N"])
    told = alt.Chart(ROWS).transform_filter("datum.label").encode(x=months, y=revenue)
    return _sized(
        alt.layer(
            base.mark_area(style="wash"),
            base.mark_line(style="accent_line"),
            told.mark_point(style="accent_point", filled=True),
            told.mark_text(style="label", dy=20, align="right", dx=6).encode(text="label:N"),
        ),
        220,
    )


def _ranked_bars() -> Chart:
    """Bars, longest first, each with its value and share at its end."""
    base = alt.Chart(ROWS).encode(y=_named("name"), tooltip=["tip:N"])
    length = alt.X("value:Q", axis=None, scale=alt.Scale(zero=True))
    return _listed(
        alt.layer(
            base.mark_bar(style="accent_bar").encode(x=length),
            # Unseen: leaves room for the labels behind the longest bar.
            base.mark_point(opacity=0).encode(x=alt.X("room:Q", axis=None)),
            base.mark_text(style="label", align="left", dx=5).encode(x=length, text="label:N"),
        ),
        row_height=28,
    )


def _concentration(words: Words) -> Chart:
    customers = alt.X(
        "customer_share:Q",
        title=words["column.customer_share"],
        axis=alt.Axis(**PERCENT, tickCount=5),
        scale=alt.Scale(domain=[0, 1]),
    )
    revenue = alt.Y(
        "revenue_share:Q",
        title=words["column.revenue_share"],
        axis=alt.Axis(**PERCENT, tickCount=5),
        scale=alt.Scale(domain=[0, 1]),
    )
    base = alt.Chart(ROWS).encode(x=customers, y=revenue)
    told = base.transform_filter("datum.label")
    return _sized(
        alt.layer(
            base.mark_line(style="muted_line", strokeDash=[4, 4]).encode(y="customer_share:Q"),
            base.mark_area(style="wash").encode(y2="customer_share:Q"),
            base.mark_line(style="accent_line").encode(tooltip=["tip:N"]),
            base.mark_point(opacity=0, size=160).encode(tooltip=["tip:N"]),
            told.mark_point(style="accent_point", filled=True),
            told.mark_text(style="label", align="left", dx=9, dy=12).encode(text="label:N"),
            base.transform_filter("datum.equal")
            .mark_text(style="note", align="left", dx=6, dy=12)
            .encode(y="customer_share:Q", text="equal:N"),
        ),
        320,
    )


def _pairs(words: Words, first: str, second: str) -> Chart:
    """Two shares for each name, side by side."""
    order = [words[first], words[second]]
    base = alt.Chart(ROWS).encode(
        y=_named("name"),
        yOffset=alt.YOffset("measure:N", sort=order),
        tooltip=["tip:N"],
    )
    length = alt.X("share:Q", axis=None, scale=alt.Scale(zero=True))
    colour = alt.Color(
        "measure:N",
        sort=order,
        scale=alt.Scale(domain=order),
        legend=alt.Legend(title=None, orient="top"),
    )
    return _listed(
        alt.layer(
            base.mark_bar().encode(x=length, color=colour),
            base.mark_point(opacity=0).encode(x=alt.X("room:Q", axis=None)),
            base.mark_text(style="label", align="left", dx=5).encode(x=length, text="label:N"),
        ),
        row_height=46,
        room=34,
    )


def _flow() -> Chart:
    """Ribbons from the tier before to the tier after; ends carry names and counts."""
    along = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.42, 1.42], nice=False))
    ribbons = (
        alt.Chart(ROWS)
        .transform_filter("datum.link != null")
        .mark_area(style="ribbon")
        .encode(
            x=along,
            y=alt.Y("low:Q", axis=None, scale=alt.Scale(reverse=True, nice=False)),
            y2="high:Q",
            detail="link:N",
            color=alt.Color("color:N", scale=None),
            tooltip=["tip:N"],
        )
    )
    ends = alt.Chart(ROWS).transform_filter("datum.link == null")
    names = ends.encode(x=along, y=alt.Y("middle:Q", axis=None), text="label:N")
    return _sized(
        alt.layer(
            ribbons,
            names.transform_filter("datum.x == 0").mark_text(style="label", align="right", dx=-8),
            names.transform_filter("datum.x == 1").mark_text(style="label", align="left", dx=8),
        ),
        280,
    )


def _moves() -> Chart:
    months = alt.X("month:O", title=None, axis=alt.Axis(**MONTH, labelAngle=0, orient="bottom"))
    # The padding is the room for the counts beyond the bars.
    count = alt.Y("value:Q", title=None, axis=None, scale=alt.Scale(padding=18, nice=False))
    base = alt.Chart(ROWS).encode(
        x=months, y=count, color=alt.Color("color:N", scale=None), tooltip=["tip:N"]
    )
    told = alt.Chart(ROWS).encode(x=months, y=count)
    return _sized(
        alt.layer(
            base.mark_bar(),
            told.mark_text(style="label", dy=-8).encode(text="above:N"),
            told.mark_text(style="label", dy=9).encode(text="below:N"),
            alt.Chart(ROWS).mark_rule(style="zero").encode(y=alt.datum(0)),
        ),
        220,
    )


def _bridge() -> Chart:
    """Changes one after the other from nothing to the net change."""
    base = alt.Chart(ROWS).encode(y=_named("name"), tooltip=["tip:N"])
    start = alt.X("start:Q", axis=None, scale=alt.Scale(zero=True))
    return _listed(
        alt.layer(
            base.mark_bar().encode(x=start, x2="end:Q", color=alt.Color("color:N", scale=None)),
            base.mark_point(opacity=0).encode(x=alt.X("room:Q", axis=None)),
            base.mark_text(style="label", align="left", dx=5).encode(
                x=alt.X("reach:Q", axis=None), text="label:N"
            ),
            alt.Chart(ROWS).mark_rule(style="zero").encode(x=alt.datum(0)),
        ),
        row_height=46,
    )


def _value_risk(words: Words) -> Chart:
    base = alt.Chart(ROWS).encode(
        x=alt.X(
            "band:N",
            sort=None,
            title=words["column.risk_band"],
            axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
        ),
        y=_named("name", alt.Axis(domain=False, ticks=False)),
        tooltip=["tip:N"],
    )
    shown = base.mark_text(style="cell").encode(
        color=alt.Color("ink:N", scale=None), text="label:N"
    )
    return _listed(
        alt.layer(
            base.mark_rect(style="tile").encode(color=alt.Color("color:N", scale=None)), shown
        ),
        row_height=44,
        room=46,
    )


def _renewals(words: Words) -> Chart:
    order = [words["code.ended_pending"], words["code.expiring"], words["code.running"]]
    months = alt.X("month:O", title=None, axis=alt.Axis(**MONTH, labelAngle=0))
    revenue = alt.Y("revenue:Q", title=None, axis=alt.Axis(**COMPACT, tickCount=4))
    bars = (
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            x=months,
            y=revenue,
            color=alt.Color(
                "status:N",
                sort=order,
                scale=alt.Scale(domain=order),
                legend=alt.Legend(title=None, orient="top"),
            ),
            order=alt.Order("place:Q"),
            tooltip=["tip:N"],
        )
    )
    totals = (
        alt.Chart(ROWS)
        .mark_text(style="label", dy=-8)
        .encode(x=months, y=alt.Y("total:Q"), text="label:N")
    )
    room = alt.Chart(ROWS).mark_point(opacity=0).encode(y=alt.Y("room:Q"))
    return _sized(alt.layer(bars, room, totals), 260)
