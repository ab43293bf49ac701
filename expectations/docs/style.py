"""What all pages of the validation report share: one style, one frame, a few words.

They load nothing from elsewhere, run no script, follow the reader's choice of light or
dark, and read the same from a web server, from a folder or out of an evidence pack.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5c6b7a; --line: #dde3ea;
  --ground: #f6f8fa; --sheet: #fff; --link: #0b5cad;
  --pass: #1a7f4b; --warn: #9a6700; --stop: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ee; --soft: #9aa8b7;
  --line: #303a46; --ground: #12171d; --sheet: #1a2129; --link: #7db7f5;
  --pass: #58c78b; --warn: #e0b04b; --stop: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans SC", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 56px; }
h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 28px 0 8px; }
p { margin: 0 0 12px; color: var(--soft); } a { color: var(--link); }
table { width: 100%; border-collapse: collapse; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 6px; }
th, td { text-align: left; vertical-align: top; padding: 8px 12px;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-size: 12px; color: var(--soft); font-weight: 600; white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.mark { white-space: nowrap; font-weight: 600; }
.passed { color: var(--pass); } .critical { color: var(--stop); }
.warning, .info { color: var(--warn); }
small { display: block; color: var(--soft); }
details { margin: 0 0 14px; } summary { cursor: pointer; padding: 6px 0; }
summary strong { margin-right: 10px; }
.verdict { background: var(--sheet); border: 1px solid var(--line); border-left-width: 6px;
  border-radius: 6px; padding: 12px 16px; margin: 14px 0; color: var(--ink); }
.verdict strong { display: block; font-size: 17px; }
.verdict.passed { border-left-color: var(--pass); }
.verdict.warning { border-left-color: var(--warn); }
.verdict.critical { border-left-color: var(--stop); }
.verdict.passed strong { color: var(--pass); } .verdict.warning strong { color: var(--warn); }
.verdict.critical strong { color: var(--stop); }
.figures { display: grid; gap: 10px; margin: 14px 0; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); }
.figures div { background: var(--sheet); border: 1px solid var(--line);
  border-radius: 6px; padding: 10px 14px; }
.figures dt { font-size: 12px; color: var(--soft); font-weight: 600; }
.figures dd { margin: 0; font-size: 19px; font-variant-numeric: tabular-nums; }
.figures dd small { font-size: 12px; }
.wide { overflow-x: auto; } .told { min-width: 320px; }
.hash { font: 12px/1.6 ui-monospace, monospace; }
"""


def document(title: str, body: str) -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{body}</main></body></html>\n"
    )


def verdict(checks: int, failures: Mapping[str, int]) -> str:
    """How many checks failed, by severity, in the colours of the report."""
    if not checks:
        return "nothing was checked"
    told = [
        f'<span class="{escape(severity)}">{count} {escape(severity)}</span>'
        for severity, count in failures.items()
        if count
    ]
    if not told:
        return f'<span class="passed">all {checks} checks passed</span>'
    return f"{', '.join(told)} of {checks} checks failed"


def link(address: str, text: str) -> str:
    """A link within the report."""
    return f'<a href="{escape(address)}">{escape(text)}</a>'
