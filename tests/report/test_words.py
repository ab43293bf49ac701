"""The words of the report: every one in each language, none missing, none left over."""

from __future__ import annotations

import re

from orchestration.report.page import CONTENTS, HEADLINES
from orchestration.report.words import LANGUAGES, PAGE, read_words

WORDS = read_words()
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def test_each_language_says_the_same_with_the_same_gaps() -> None:
    english = WORDS["en"]
    for language in LANGUAGES:
        assert WORDS[language].keys() == english.keys()
        for key, text in WORDS[language].items():
            assert isinstance(text, str), key
            assert text.strip(), key
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(english[key])), key


def test_what_the_page_asks_for_is_there_and_nothing_else() -> None:
    script = (PAGE / "report.js").read_text(encoding="utf-8")
    page = (PAGE / "report.html.j2").read_text(encoding="utf-8")
    charts = PAGE.with_name("charts.py").read_text(encoding="utf-8")
    asked = set(re.findall(r'(?:word|titled)\("([\w.]+)"', script))
    asked |= set(re.findall(r'data-word="([\w.]+)"', page)) | {"noscript", "yes", "no"}
    asked |= set(re.findall(r'"((?:column|code)\.\w+)"', charts))
    asked |= {f"trend.{way}" for way in ("up", "down", "flat")} | {"trusted", "distrusted"}
    asked |= {f"chapter.{chapter}" for chapter in CONTENTS}
    for chapter in CONTENTS.values():
        asked |= {f"{name}.{part}" for name in chapter for part in ("shows", "is")}
    for name in HEADLINES:
        asked |= {f"kpi.{name}", f"kpi.{name}.is"}
    # Columns are [field, kind, word]; without a word the field names it.
    kinds = "month|moment|money|count|percent|text|codes?|band|flag"
    for field, word in re.findall(rf'\["(\w+)", "(?:{kinds})"(?:, "(\w+)")?\]', script):
        asked.add(f"column.{word or field}")
    asked |= {f"column.{name}" for name in ("respond", "resolve", "moved_up", "moved_down")}
    known = {key for key in WORDS["en"] if not key.startswith("code.")}
    assert {key for key in asked if not key.startswith("code.")} == known
