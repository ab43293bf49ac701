"""A dashboard as somebody sees it in a browser: what its charts asked, got and show."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.superset.server import USER, Superset
from tests.support.browser import Page

WIDTH = 1600
TALL = 4600  # charts outside the window are not drawn
CHROME = 190  # Superset's bars above the charts
SECONDS = 300
QUIET_SECONDS = 4
# Keeps every answer that a chart gets: the page's own requests, with the filters it applied.
RECORDER = """
window.answers = [];
const ask = window.fetch;
window.fetch = async function (where) {
    const answer = await ask.apply(this, arguments);
    const address = String(where.url || where);
    if (address.includes('/api/v1/chart/data')) {
        const asked = arguments[1] && arguments[1].body;
        const got = await answer.clone().text();
        window.answers.push({status: answer.status, asked: String(asked), got});
    }
    return answer;
};
"""
STATE = """JSON.stringify({
    answers: (window.answers || []).length,
    waiting: document.querySelectorAll('[data-test="loading-indicator"], .loading').length,
    height: (document.querySelector('.grid-content') || {}).scrollHeight || 0,
})"""
ERRORS = """Array.from(document.querySelectorAll(
    '.ant-alert-error, [data-test="error-alert"], [data-test="alert-error"]'
), (alert) => alert.innerText)"""


@dataclass(frozen=True)
class Chart:
    """What a chart asked and got, one list of rows for each of its queries."""

    chart_id: int
    asked: dict[str, Any]
    status: int
    errors: list[str]
    rows: list[list[dict[str, Any]]]


@dataclass(frozen=True)
class Shown:
    """A dashboard as it was shown."""

    charts: dict[int, Chart]
    errors: list[str]


def sign_in(page: Page, superset: Superset) -> None:
    """Sign in as the administrator."""
    page.show(WIDTH, 1000)
    page.open(f"{superset.address}/login/")
    form = json.dumps(f"username={USER}&password={superset.password}")
    kind = "application/x-www-form-urlencoded"
    landed = page.evaluate(
        f"fetch('/login/', {{method: 'POST', headers: {{'Content-Type': '{kind}'}},"
        f" body: {form}}}).then((answer) => answer.url)"
    )
    assert "/login" not in landed, landed
    page.call("Page.addScriptToEvaluateOnNewDocument", source=RECORDER)


def look_at(page: Page, superset: Superset, slug: str, charts: int, picture: Path) -> Shown:
    """Open a dashboard, wait until every chart is drawn, and take its picture."""
    page.show(WIDTH, TALL)
    page.open(f"{superset.address}/superset/dashboard/{slug}/")
    height = _settle(page, charts)
    page.show(WIDTH, height + CHROME)
    _settle(page, charts)
    answers = json.loads(page.evaluate("JSON.stringify(window.answers)"))
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(base64.b64decode(page.call("Page.captureScreenshot")["data"]))
    found = [chart for answer in answers if (chart := _chart(answer))]
    return Shown(
        charts={chart.chart_id: chart for chart in found},
        errors=page.evaluate(ERRORS),
    )


def _settle(page: Page, charts: int) -> int:
    until = time.monotonic() + SECONDS
    last, since = "", time.monotonic()
    while True:
        state = page.evaluate(STATE)
        now = json.loads(state)
        if state != last or now["waiting"] or now["answers"] < charts:
            last, since = state, time.monotonic()
        if time.monotonic() - since > QUIET_SECONDS:
            return int(now["height"])
        assert time.monotonic() < until, f"still waiting: {state}"
        time.sleep(0.5)


def _chart(answer: dict[str, Any]) -> Chart | None:
    asked = json.loads(answer["asked"])
    chart_id = asked["form_data"].get("slice_id")
    if chart_id is None:  # a filter's own question
        return None
    got = json.loads(answer["got"])
    results = got.get("result", [])
    return Chart(
        chart_id=chart_id,
        asked=asked,
        status=answer["status"],
        errors=[str(one["error"]) for one in results if one.get("error")],
        rows=[one["data"] for one in results],
    )
