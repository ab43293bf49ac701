"""The words of the report in each language, from page/words.yml."""

from __future__ import annotations

from pathlib import Path

import yaml

LANGUAGES = ("en", "zh")
PAGE = Path(__file__).with_name("page")


def read_words() -> dict[str, dict[str, str]]:
    """Words by language and key."""
    entries: dict[str, dict[str, str]] = yaml.safe_load(
        (PAGE / "words.yml").read_text(encoding="utf-8")
    )
    return {
        language: {key: texts[language] for key, texts in entries.items()} for language in LANGUAGES
    }
