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
    "edit the sources, not this page. -->"
)

_CATALOGUE_HEAD = """\
# Catalogue: what is published, and what to ask it

Everything here lies in every publication, in schema `marts`, `snapshots` or `audit` of
`home/published/current/tierwise.duckdb` (`make run` or `tierwise run` makes one). Open it
read-only, also while a run is under way. With DuckDB's command line:

```
duckdb -readonly home/published/current/tierwise.duckdb < docs/questions/01_revenue_by_tier.sql
```

In Python:

```python
from pathlib import Path

import duckdb

with duckdb.connect("home/published/current/tierwise.duckdb", read_only=True) as marts:
    print(marts.sql(Path("docs/questions/01_revenue_by_tier.sql").read_text()))
```

[bi.md](bi.md) shows other tools. What holds for every table:

- A **month** is a date, its first day. The **closing month** is the last one that counts:
  `select max(month) from marts.dim_month where is_closed`.
- **Money** is decimal and in the reporting currency unless the column says otherwise. **Shares**
  and rates are 0–1. **Null** means not measured or not known, never zero.
- **Regions** are local networks, below provinces, below the group. `region_summary_monthly` and
  `revenue_concentration_monthly` hold all three levels: filter on one, or figures count twice.
- A **rate** of several rows is the sum of its numerators over the sum of its denominators,
  never the mean of the rates.
- **`is_ranked`** customers (on_net, returned, dormant) are the ones that have a tier; the others'
  tier is `none`.

Every column with its unit: [columns.md](columns.md). How the tables hang together:
[relationships.md](relationships.md). Why a figure is what it is: [decisions.md](decisions.md).

## The words

| word | meaning |
| --- | --- |
| relationship | `on_net`: active. `returned`: active again after a gap within twelve months. \
`dormant`: active, but three months without revenue or use. `left`, or `competitor` if to a rival; \
`historic` twelve months later. `prospect`: never active. |
| ranked | On_net, returned or dormant: whoever can have a tier. |
| policy, tier | A policy makes tiers of a metric by dated rules in reference tables. One is in \
force (as shipped `house`: mean revenue of three months, by class of region, kept for two months of \
grace when it drops); the others are replayed beside it. |
| service class | What goes with a tier: hours to respond and resolve, how often marketing may call. |
| segment | `key`: a key customer of any kind. Else `commercial` for organisations, `public` for people. |
| key kinds | `important`: designated so. `high_value`: by its tier. `group`: by agreement or the \
size of its group. `strategic`. Two kinds make it premier. |
| current value | Margin of twelve months. |
| potential value | Margin expected in the next 24 months, discounted, weighed with the chance to stay. |
| headroom value | Margin a year that product families it lacks bring its peers. |
| value at risk | On the worklist: probability to leave × (a year's margin + headroom). Of a \
contract: probability × a year's revenue. |
| stars | 1 to 7, from points for consumption, credit, satisfaction and loyalty; valid a year. |
| publication, run | A run loads, builds and checks; if nothing critical failed, it publishes. |
"""

_RELATIONSHIPS_HEAD = """\
# How the published tables hang together

One picture per topic: keys (PK), references (FK), and the tables they lead to. A solid line is
a reference that dbt tests in every run; a dotted one follows from the name of the column, which
means the same in every table. Every column `month`, and what ends in `_month`, is the first day
of a month as in `dim_month`; these lines are left out. Tables of one row per customer and month
join on both columns:

```sql
select tiers.tier_code, sum(months.revenue) as revenue
from marts.customer_monthly as months
inner join marts.customer_tier_monthly as tiers
    on months.customer_id = tiers.customer_id and months.month = tiers.month
where months.month = (select max(month) from marts.dim_month where is_closed)
group by tiers.tier_code
```
"""

_COLUMNS_HEAD = """\
# Every published column

By topic and table. The same words are comments in the database:
`select column_name, comment from duckdb_columns() where table_name = 'customer_monthly'`.
"""


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
    parts = [_CATALOGUE_HEAD, _MADE, "\n## The tables\n"]
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
    parts = [_COLUMNS_HEAD, _MADE, ""]
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
    parts = [_RELATIONSHIPS_HEAD, _MADE, ""]
    for topic in TOPICS:
        own = [each for each in tables if each.topic == topic]
        parts += [f"## {topic}\n", "```mermaid", _picture(own, tables, references), "```", ""]
    return "\n".join(parts).rstrip() + "\n"


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
                kind = column.type.partition("(")[0] or "value"
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
