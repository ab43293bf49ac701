"""An acceptance names the check, the person and the reason, or there is none."""

from __future__ import annotations

import pytest

from expectations.results import Acceptance
from orchestration.audit.acceptance import acceptances_of
from orchestration.errors import ConfigurationError


def test_nothing_given_is_nothing_accepted() -> None:
    assert acceptances_of([], None, None) == ()


def test_several_checks_share_name_and_reason() -> None:
    answers = acceptances_of(["a.b", "c.d", "a.b"], " Chen Jing ", "known since May")
    assert answers == (
        Acceptance("a.b", "Chen Jing", "known since May"),
        Acceptance("c.d", "Chen Jing", "known since May"),
    )


@pytest.mark.parametrize(
    ("checks", "by", "reason", "missing"),
    [
        (["a.b"], None, "known", "--by NAME"),
        (["a.b"], "Chen Jing", None, "--reason TEXT"),
        (["a.b"], "  ", "known", "--by NAME"),
        (["a.b"], "Chen Jing", "", "--reason TEXT"),
        ([], "Chen Jing", "known", "--accept CHECK"),
        ([], None, "known", "--accept CHECK and --by NAME"),
        ([" "], "Chen Jing", "known", "--accept CHECK"),
        ([], "", None, "--accept CHECK"),
    ],
)
def test_a_part_that_is_missing_is_named(
    checks: list[str], by: str | None, reason: str | None, missing: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        acceptances_of(checks, by, reason)
    assert missing in str(error.value)
    assert error.value.exit_code == 2
