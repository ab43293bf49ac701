"""What is told of a check that could not be made: the cause, and no value of the data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# The engine's errors about the statement itself name tables and columns only; others
# (a value that cannot be converted, say) may quote the data.
_ABOUT_THE_STATEMENT = ("Binder Error", "Catalog Error", "Parser Error", "IO Error")
_KIND = re.compile(r"[A-Z][A-Za-z ]* Error(?=:)")


def error_of(checked: Any) -> str | None:
    """Why an expectation could not be evaluated; None if it was."""
    messages = list(_messages(checked.exception_info))
    if not messages:
        return None
    return f"could not be checked: {safe_message(messages[0])}"


def safe_message(message: str) -> str:
    """The first line of an error, or only its kind if it may quote the data."""
    kinds: list[str] = _KIND.findall(message)
    if not kinds:
        return "unknown error"
    kind = kinds[0].strip()
    if kind not in _ABOUT_THE_STATEMENT:
        return kind
    start = message.index(f"{kind}:")
    return message[start:].splitlines()[0].strip()


def without_values(info: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the library keeps of exceptions, without a message or trace that quotes the data."""
    if not info:
        return {}
    if "raised_exception" not in info:
        return {name: without_values(entry) for name, entry in info.items()}
    if not info["raised_exception"]:
        return dict(info)
    told = safe_message(str(info.get("exception_message") or ""))
    return {
        **info,
        "exception_message": told if ":" in told else f"{told}: values are not kept",
        "exception_traceback": None,
    }


def _messages(info: Mapping[str, Any] | None) -> Iterator[str]:
    """Messages of one exception, or of one per metric, as the library has both."""
    if not info:
        return
    if "raised_exception" in info:
        if info["raised_exception"]:
            yield str(info.get("exception_message") or "")
        return
    for entry in info.values():
        yield from _messages(entry)
