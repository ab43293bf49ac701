"""The pages in docs/ made from the contract: catalogue, columns, and how tables hang together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.documentation.markdown import is_number, shown, table
from orchestration.documentation.questions import Answer, Question, answer, read_questions
from orchestration.documentation.tables import (
    TOPICS,
    Column,
    Reference,
    Table,
    read_references,
    read_tables,
)

SHOWN_ROWS = 6
_MADE = (
    "<!-- Made from the contract by `python -m orchestration.documentation pages`; "
    "edit orchestration/documentation/heads, docs/questions or the models' YAML instead. -->"
)


def pages(manifest_path: Path, database: Path) -> dict[str, str]:
    """Name and text of every page.

    Args:
        manifest_path: dbt's manifest of the run that published.
        database: the publication's database, asked the example questions read-only.
    """
    tables, questions = read_tables(manifest_path), read_questions()
    with duckdb.connect(str(database), read_only=True) as connection:
        answers = {question.name: answer(connection, question) for question in questions}
    return {
        "catalogue.md": catalogue_page(tables, questions, answers),
        "columns.md": columns_page(tables),
        "relationships.md": relationships_page(tables, read_references(manifest_path)),
    }


def catalogue_page(
    tables: Sequence[Table], questions: Sequence[Question], answers: Mapping[str, Answer]
) -> str:
    """The tables by topic, then the questions by role with their answers on the sample."""
    parts = [_head("catalogue.md"), _MADE, "\n## The tables\n"]
    for topic in TOPICS:
        rows = [
            (f"[`{each.qualified_name}`](columns.md#{each.name})", each.grain,
             ", ".join(f"`{column}`" for column in each.key), each.used_for)
            for each in tables if each.topic == topic
        ]  # fmt: skip
        parts += [f"### {topic}\n", table(("table", "a row", "key", "used for"), rows), ""]
    parts += [
        "## The questions\n",
        "Each is a file in [`questions/`](questions), which a test runs and checks against a "
        "second computation. The answers here are of the sample that ships with Tierwise, its "
        f"first {SHOWN_ROWS} rows.\n",
    ]
    roles = dict.fromkeys(question.role for question in questions)
    for role in roles:
        links = [f"[{each.question}](#{each.number}-{each.name})" for each in _of(role, questions)]
        parts.append(f"- **{role}**: " + " · ".join(links))
    parts.append("")
    for question in questions:
        parts += _question_part(question, answers[question.name])
    return "\n".join(parts).rstrip() + "\n"


def columns_page(tables: Sequence[Table]) -> str:
    """Every column of every table with its type, whether it may be null, and its meaning."""
    parts = [_head("columns.md"), _MADE, ""]
    for topic in TOPICS:
        parts.append(f"## {topic}\n")
        for each in (each for each in tables if each.topic == topic):
            rows = [
                (f"`{column.name}`", column.type, _null(each, column), column.description)
                for column in each.columns
            ]
            parts += [
                f'### <a id="{each.name}"></a>{each.qualified_name}\n',
                each.description + "\n",
                table(("column", "type", "null", "meaning and unit"), rows),
                "",
            ]
    return "\n".join(parts).rstrip() + "\n"


def relationships_page(tables: Sequence[Table], references: Sequence[Reference]) -> str:
    """An entity-relationship picture per topic, in Mermaid."""
    parts = [_head("relationships.md"), _MADE, ""]
    for topic in TOPICS:
        own = [each for each in tables if each.topic == topic]
        parts += [f"## {topic}\n", "```mermaid", _picture(own, tables, references), "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def _head(page: str) -> str:
    """What a person wrote for the top of a page."""
    return (Path(__file__).parent / "heads" / page).read_text(encoding="utf-8")


def _picture(own: Sequence[Table], tables: Sequence[Table], references: Sequence[Reference]) -> str:
    names = {each.name for each in own}
    by_name = {each.name: each for each in tables}
    drawn = [reference for reference in references if reference.table in names]
    foreign = {(reference.table, reference.column) for reference in drawn}
    lines = ["erDiagram"]
    for each in own:
        lines.append(f"    {each.name} {{")
        for column in each.columns:
            marks = ["PK"] * (column.name in each.key)
            marks += ["FK"] * ((each.name, column.name) in foreign)
            if marks:
                kind = column.type.partition("(")[0]
                lines.append(f"        {kind} {column.name} {', '.join(marks)}")
        lines.append("    }")
    for reference in drawn:
        source = by_name[reference.table]
        many = "|o" if source.key == (reference.column,) else "}o"
        is_nullable = (
            source.column(reference.column).is_nullable and reference.column not in source.key
        )
        line, one = ("--" if reference.is_tested else ".."), ("o|" if is_nullable else "||")
        lines.append(f"    {source.name} {many}{line}{one} {reference.to} : {reference.column}")
    return "\n".join(lines)


def _question_part(question: Question, given: Answer) -> list[str]:
    rows = given.rows[:SHOWN_ROWS]
    right = [any(is_number(row[index]) for row in rows) for index in range(len(given.columns))]
    anchor = f'<a id="{question.number}-{question.name}"></a>'
    return [
        f"### {anchor}{question.number}. {question.question}\n",
        f"*{question.role}.* {question.reading}\n",
        f"```sql\n{question.sql}\n```\n",
        table(given.columns, [[shown(value) for value in row] for row in rows], right),
        "",
    ]


def _of(role: str, questions: Sequence[Question]) -> list[Question]:
    return [question for question in questions if question.role == role]


def _null(owner: Table, column: Column) -> str:
    return "may be null" if column.is_nullable and column.name not in owner.key else ""
