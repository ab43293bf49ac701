"""The example questions: one SQL file each, with the role that asks and how to read the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.warehouse.project import REPOSITORY

QUESTIONS = REPOSITORY / "docs" / "questions"
_TABLE = re.compile(r"\b(?:marts|snapshots|audit)\.\w+")
_FIELDS = ("Role", "Question", "Reading")


@dataclass(frozen=True)
class Question:
    """A question of a role, and the query of the published tables that answers it."""

    number: int
    name: str
    role: str
    question: str
    reading: str
    sql: str

    @property
    def tables(self) -> list[str]:
        """The published tables that the query reads, in order of appearance."""
        return list(dict.fromkeys(_TABLE.findall(self.sql)))


@dataclass(frozen=True)
class Answer:
    """What a query gives: names of the columns, and rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def read_questions(folder: Path = QUESTIONS) -> list[Question]:
    """Every question of a folder, in order of its number.

    Raises:
        ConfigurationError: a file does not begin with its role, question and reading.
    """
    return [_read(path) for path in sorted(folder.glob("*.sql"))]


def answer(connection: duckdb.DuckDBPyConnection, question: Question) -> Answer:
    """Ask a publication; the connection is of its database."""
    cursor = connection.execute(question.sql)
    return Answer(
        tuple(str(column[0]) for column in cursor.description or ()), list(cursor.fetchall())
    )


def _read(path: Path) -> Question:
    head, _, sql = path.read_text(encoding="utf-8").partition("\n\n")
    fields: dict[str, str] = {}
    for line in head.splitlines():
        name, colon, text = line.removeprefix("-- ").partition(": ")
        if colon and name in _FIELDS:
            fields[name] = text
        elif fields:
            fields[next(reversed(fields))] += " " + line.removeprefix("--").strip()
    number, _, name = path.stem.partition("_")
    if tuple(fields) != _FIELDS or not number.isdigit() or not sql.strip():
        raise ConfigurationError(
            f"{path} does not begin with the comments {', '.join(_FIELDS)}, each on a line of "
            "its own, then an empty line and the query; its name is a number and a word."
        )
    return Question(
        number=int(number),
        name=name,
        role=fields["Role"],
        question=fields["Question"],
        reading=fields["Reading"],
        sql=sql.strip(),
    )
