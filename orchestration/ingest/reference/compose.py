"""The reference set in force: the defaults, replaced table by table by an operator's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.ingest.reference.contract import Table, load_contract
from orchestration.ingest.reference.reading import Problem, TableFile, read_table
from orchestration.ingest.reference.rules import check_rules

DEFAULT_TIER_POLICY = "house"


@dataclass(frozen=True)
class ReferenceSet:
    """The reference tables of one run.

    `sha256` depends on the names and contents of the tables alone; `overridden` names
    the tables that come from the operator's folder; `warnings` are for the summary.
    """

    sha256: str
    tables: dict[str, Path]
    overridden: list[str]
    warnings: list[str]


def compose_reference(
    defaults: Path,
    override: Path | None,
    target: Path,
    tier_policy: str = DEFAULT_TIER_POLICY,
) -> ReferenceSet:
    """Check the tables in force and write them, byte for byte, into `target`.

    A table whose bytes are unchanged is not rewritten. Nothing is written unless every
    table is right.

    Raises:
        ConfigurationError: all problems found, each naming file, row, column and value.
    """
    if override is not None and not override.is_dir():
        message = (
            f"The reference folder {override} does not exist. "
            "Name an existing folder, or leave the setting `reference` out."
        )
        raise ConfigurationError(message)
    sources, overridden, warnings = _choose_sources(defaults, override)
    warnings += _check(sources, defaults, set(overridden), tier_policy)
    contents = {name: path.read_bytes() for name, path in sources.items()}
    tables = _write(contents, target)
    return ReferenceSet(_fingerprint(contents), tables, overridden, warnings)


def _choose_sources(
    defaults: Path, override: Path | None
) -> tuple[dict[str, Path], list[str], list[str]]:
    contract = load_contract()
    sources = {name: defaults / table.file_name for name, table in contract.items()}
    overridden: list[str] = []
    warnings: list[str] = []
    for path in sorted(override.iterdir()) if override else []:
        if path.name.startswith("."):
            continue
        if path.suffix == ".csv" and path.stem in contract:
            sources[path.stem] = path
            overridden.append(path.stem)
        else:
            warnings.append(f"{path}: not a reference table; the file is ignored")
    return sources, overridden, warnings


def _check(
    sources: dict[str, Path], defaults: Path, overridden: set[str], tier_policy: str
) -> list[str]:
    """Read and check all tables; the warnings, or one error with every problem."""
    contract = load_contract()
    tables: dict[str, TableFile] = {}
    problems: list[Problem] = []
    warnings: list[str] = []
    for name, path in sources.items():
        file, faults, notes = read_table(contract[name], path)
        if not faults and name in overridden and contract[name].needs_default_rows:
            faults += _missing_rows(contract[name], file, defaults)
        tables[name] = file
        problems += faults
        warnings += notes
    # A file that could not be read has no rows; judging others by it would only
    # repeat its fault, so rules run on complete sets alone.
    if all(problem.row is not None for problem in problems):
        problems += check_rules(tables, tier_policy)
    if problems:
        raise ConfigurationError(_describe(problems))
    return warnings


def _missing_rows(table: Table, file: TableFile, defaults: Path) -> list[Problem]:
    """Rows of the default that the replacing file lacks: their figures would be null."""
    default, _, _ = read_table(table, defaults / table.file_name)
    held = {tuple(row.values[name] for name in table.key) for row in file.rows}
    return [
        Problem(
            file.path,
            "the row of the default table is missing; "
            "a file replaces the whole table, so copy the row and set its value",
            key=", ".join(f"{name}={row.texts[name]}" for name in table.key),
        )
        for row in default.rows
        if tuple(row.values[name] for name in table.key) not in held
    ]


def _describe(problems: list[Problem]) -> str:
    count = len(problems)
    noun = "problem" if count == 1 else "problems"
    lines = [f"The reference tables have {count} {noun}; nothing was run."]
    lines += [f"  {problem}" for problem in problems]
    return "\n".join(lines)


def _write(contents: dict[str, bytes], target: Path) -> dict[str, Path]:
    target.mkdir(parents=True, exist_ok=True)
    wanted = {load_contract()[name].file_name for name in contents}
    for stray in target.iterdir():
        is_ours = stray.suffix in (".csv", ".partial")
        if is_ours and stray.name not in wanted:
            stray.unlink()
    tables: dict[str, Path] = {}
    for name, content in contents.items():
        path = target / load_contract()[name].file_name
        if not path.is_file() or path.read_bytes() != content:
            partial = target / f".{path.name}.partial"
            partial.write_bytes(content)
            partial.replace(path)
        tables[name] = path
    return tables


def reference_sha256(folder: Path) -> str:
    """The hash of a composed set, as `ReferenceSet` has it, from the folder it lies in."""
    return _fingerprint({path.stem: path.read_bytes() for path in folder.glob("*.csv")})


def _fingerprint(contents: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(f"{name} {hashlib.sha256(contents[name]).hexdigest()}\n".encode())
    return digest.hexdigest()
