"""Rules between the rows of the reference tables: keys, trees, validity, policies.

Every rule is a function of the tables in force that returns all problems it finds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from orchestration.ingest.reference.contract import load_contract
from orchestration.ingest.reference.reading import Problem, Row, TableFile

Tables = dict[str, TableFile]

# Codes that the warehouse itself puts where a delivered code is not known.
RESERVED_CODES = {
    "regions": ("region_code", ("UNKNOWN",)),
    "products": ("product_code", ("UNKNOWN", "UNITEMISED")),
    "tier_bands": ("tier_code", ("none",)),
}
# The tier of everybody who meets no band, known to every policy.
LOWEST_TIER = "standard"
PARENT_LEVEL = {"province": "group", "local": "province"}
DESIGNATIONS = (
    "party_government",
    "military",
    "security",
    "news_media",
    "finance",
    "public_utility",
    "emergency_service",
)
SIZE_ATTRIBUTES = ("group_size", "regional_span")
# As many bands of a metric as the macro most_bands lays out in a row.
MOST_STAR_BANDS = 12


def check_rules(tables: Tables, tier_policy: str) -> list[Problem]:
    """All problems between rows, in the order of the contract's tables."""
    problems = [problem for rule in RULES for problem in rule(tables)]
    problems += _override_tier_problems(tables, tier_policy)
    order = list(load_contract())
    return sorted(
        problems,
        key=lambda problem: (order.index(problem.path.stem), problem.row or 0),
    )


def check_policies(policies: TableFile, bands: TableFile) -> list[Problem]:
    """All problems of policies and their bands, whatever files they come from."""
    tables = {"tier_policies": policies, "tier_bands": bands}
    return [problem for rule in POLICY_RULES for problem in rule(tables)]


def _duplicate_keys(tables: Tables) -> Iterator[Problem]:
    for file in tables.values():
        seen: dict[tuple[object, ...], int] = {}
        for row in file.rows:
            key = tuple(row.values[name] for name in file.table.key)
            if _has_fault_in_key(file, row):
                continue
            first = seen.setdefault(key, row.number)
            if first != row.number:
                message = f"the key stands already in row {first}; keep one of the two"
                yield file.problem(row, None, message)


def _has_fault_in_key(file: TableFile, row: Row) -> bool:
    return any(row.values[name] is None and row.texts[name] != "" for name in file.table.key)


def _reserved_codes(tables: Tables) -> Iterator[Problem]:
    for name, (column, codes) in RESERVED_CODES.items():
        for row in tables[name].rows if name in tables else ():
            if row.values[column] in codes:
                message = "the code is built in and cannot be defined; rename it"
                yield tables[name].problem(row, column, message)


def _region_levels(tables: Tables) -> Iterator[Problem]:
    file = tables["regions"]
    levels: dict[object, object] = {
        row.values["region_code"]: row.values["region_level"] for row in file.rows
    }
    for row in file.rows:
        level, parent = row.values["region_level"], row.values["parent_code"]
        if level == "group" and parent is not None:
            message = "the group stands above all regions; leave its parent empty"
            yield file.problem(row, "parent_code", message)
        if level in PARENT_LEVEL:
            yield from _parent_problems(file, row, levels)
        if level == "local" and row.texts["region_class"] == "":
            message = "a local network needs its class; write 1, 2 or 3"
            yield file.problem(row, "region_class", message)
        if level in ("group", "province") and row.values["region_class"] is not None:
            message = "only local networks have a class; leave it empty"
            yield file.problem(row, "region_class", message)


def _parent_problems(file: TableFile, row: Row, levels: dict[object, object]) -> Iterator[Problem]:
    wanted = PARENT_LEVEL[str(row.values["region_level"])]
    parent = row.values["parent_code"]
    if parent is None:
        message = f"the parent is missing; name the {wanted} it belongs to"
        yield file.problem(row, "parent_code", message)
    elif parent not in levels:
        message = "no region has this code; add the region or correct the code"
        yield file.problem(row, "parent_code", message)
    elif levels[parent] not in (wanted, None):
        message = f"this is a {levels[parent]}; name the {wanted} it belongs to"
        yield file.problem(row, "parent_code", message)


def _single_group(tables: Tables) -> Iterator[Problem]:
    file = tables["regions"]
    groups = [row for row in file.rows if row.values["region_level"] == "group"]
    if len(groups) != 1:
        found = ", ".join(row.texts["region_code"] for row in groups) or "none"
        message = f"exactly one region is the group; found {found}"
        yield Problem(file.path, message, column="region_level")


def _region_cycles(tables: Tables) -> Iterator[Problem]:
    file = tables["regions"]
    parents = {row.values["region_code"]: row.values["parent_code"] for row in file.rows}
    for row in file.rows:
        start = row.values["region_code"]
        chain = [start]
        while (above := parents.get(chain[-1])) is not None and above not in chain:
            chain.append(above)
        # Reported where the cycle is, not at every region hanging below it.
        if above is not None and above == start:
            path = " -> ".join(str(code) for code in [*chain, start])
            message = f"the region is its own ancestor ({path}); correct a parent"
            yield file.problem(row, "parent_code", message)


def _policy_validity(tables: Tables) -> Iterator[Problem]:
    yield from _validity(tables["tier_policies"], "policy_id")


def _override_validity(tables: Tables) -> Iterator[Problem]:
    yield from _validity(tables["tier_overrides"], "customer_id")


def _validity(file: TableFile, owner: str) -> Iterator[Problem]:
    """Each period ends after it begins, and no two of one owner overlap."""
    periods: dict[object, list[tuple[date, date, Row]]] = defaultdict(list)
    for row in file.rows:
        begin, end = row.values["valid_from"], row.values["valid_to"]
        if not isinstance(begin, date) or (end is None and row.texts["valid_to"]):
            continue
        until = end if isinstance(end, date) else date.max
        if until <= begin:
            message = "must be after valid_from; it is the first day no longer valid"
            yield file.problem(row, "valid_to", message)
        else:
            periods[row.values[owner]].append((begin, until, row))
    for spans in periods.values():
        spans.sort(key=lambda span: (span[0], span[2].number))
        latest = spans[0]
        for span in spans[1:]:
            # An equal begin repeats the key of an override, which is reported there.
            if span[0] < latest[1]:
                message = (
                    f"overlaps row {latest[2].number}; "
                    "one must end (valid_to, exclusive) where the next begins"
                )
                yield file.problem(span[2], "valid_from", message)
            latest = max(latest, span, key=lambda item: item[1])


def _policy_methods(tables: Tables) -> Iterator[Problem]:
    file = tables["tier_policies"]
    for row in file.rows:
        metric = row.values["metric"]
        if row.values["method"] == "score" and metric not in ("value_score", None):
            message = "the method score judges the value score; write value_score"
            yield file.problem(row, "metric", message)


def _policy_bands(tables: Tables) -> Iterator[Problem]:
    policies, bands = tables["tier_policies"], tables["tier_bands"]
    methods = {_version(row): row.values["method"] for row in policies.rows}
    banded = {_version(row) for row in bands.rows}
    for row in policies.rows:
        if _version(row) not in banded:
            message = "the policy version has no bands; add them to tier_bands.csv"
            yield policies.problem(row, None, message)
    for row in bands.rows:
        if None in _version(row):
            continue
        if _version(row) not in methods:
            message = "no such policy version in tier_policies.csv; add or correct it"
            yield bands.problem(row, "policy_version", message)
            continue
        fault = _bound_fault(methods[_version(row)], row)
        if fault:
            yield bands.problem(row, *fault)


def _version(row: Row) -> tuple[object, object]:
    return row.values["policy_id"], row.values["policy_version"]


def _bound_fault(method: object, row: Row) -> tuple[str, str] | None:
    bound = row.values["bound"]
    if method in ("threshold", "score"):
        if row.texts["comparator"] == "":
            return "comparator", "a threshold needs its comparison; write ge or gt"
    elif isinstance(bound, Decimal):
        if method == "top_n" and (bound < 1 or bound != int(bound)):
            return "bound", "top_n counts customers; write a whole number from 1"
        shares = ("top_share_of_customers", "cumulative_share_of_metric")
        if method in shares and not 0 < bound <= 1:
            return "bound", "a share is above 0 and at most 1; write 0.2 for 20 %"
    return None


def _tier_ranks(tables: Tables) -> Iterator[Problem]:
    """One rank per tier and one tier per rank within a policy version."""
    file = tables["tier_bands"]
    rank_of: dict[tuple[object, ...], object] = {}
    tier_of: dict[tuple[object, ...], object] = {}
    for row in file.rows:
        tier, rank = row.values["tier_code"], row.values["tier_rank"]
        if tier is None or rank is None:
            continue
        if rank_of.setdefault((*_version(row), tier), rank) != rank:
            message = "the tier has another rank in an earlier row; give it one rank"
            yield file.problem(row, "tier_rank", message)
        elif tier_of.setdefault((*_version(row), rank), tier) != tier:
            message = "another tier has this rank; give every tier a rank of its own"
            yield file.problem(row, "tier_rank", message)


def _override_tier_problems(tables: Tables, tier_policy: str) -> Iterator[Problem]:
    bands, file = tables["tier_bands"], tables["tier_overrides"]
    known = {
        str(row.values["tier_code"]) for row in bands.rows if row.values["policy_id"] == tier_policy
    } | {LOWEST_TIER}
    for row in file.rows:
        tier = row.values["tier_code"]
        if tier is not None and tier not in known:
            message = (
                f"the policy in force, {tier_policy}, knows no such tier; "
                f"use one of {', '.join(sorted(known))}"
            )
            yield file.problem(row, "tier_code", message)


def _star_bands(tables: Tables) -> Iterator[Problem]:
    file = tables["star_bands"]
    for row in file.rows:
        wanted = "label" if row.values["metric"] == "total" else "points"
        if row.values["metric"] is not None and row.texts[wanted] == "":
            message = f"a row of this metric needs its {wanted}; fill it in"
            yield file.problem(row, wanted, message)
    bands = Counter((row.values["dimension"], row.values["metric"]) for row in file.rows)
    for (dimension, metric), count in bands.items():
        if count > MOST_STAR_BANDS:
            message = (
                f"{count} bands of {dimension}, {metric}; "
                f"merge some, at most {MOST_STAR_BANDS} can be compared"
            )
            yield Problem(file.path, message, column="metric")


def _delivered_value_ends(tables: Tables) -> Iterator[Problem]:
    file = tables["delivered_value_indices"]
    for row in file.rows:
        low, high = row.values["value_at_0"], row.values["value_at_100"]
        if low is not None and low == high:
            message = "an index needs two different ends; give value_at_100 another value"
            yield file.problem(row, "value_at_100", message)


def _star_levels(tables: Tables) -> Iterator[Problem]:
    file = tables["star_levels"]
    graded: list[tuple[int, Decimal, Row]] = []
    for row in file.rows:
        stars, bound = row.values["stars"], row.values["lower_bound"]
        if isinstance(stars, int) and isinstance(bound, Decimal):
            graded.append((stars, bound, row))
    graded.sort(key=lambda item: (item[0], item[2].number))
    for (_, before, _), (_, bound, row) in pairwise(graded):
        if bound <= before:
            message = "more stars need a higher bound; correct the order"
            yield file.problem(row, "lower_bound", message)


def _social_points(tables: Tables) -> Iterator[Problem]:
    file = tables["social_points"]
    for row in file.rows:
        attribute, code = row.values["attribute"], row.values["code"]
        if attribute == "designation" and code not in (*DESIGNATIONS, None):
            message = f"unknown designation; use one of {', '.join(DESIGNATIONS)}"
            yield file.problem(row, "code", message)
        if attribute == "strategic" and code not in ("true", None):
            yield file.problem(row, "code", "unknown code; the only one is true")
        if attribute in SIZE_ATTRIBUTES and row.texts["lower_bound"] == "":
            message = "a size needs the number it starts at; fill it in"
            yield file.problem(row, "lower_bound", message)


def _weights(tables: Tables) -> Iterator[Problem]:
    for name in ("star_weights", "value_weights", "manager_kpi_weights"):
        file = tables[name]
        weights = [row.values["weight"] for row in file.rows]
        if None not in weights and not any(weights):
            message = "all weights are zero; give at least one a weight"
            yield Problem(file.path, message, column="weight")


def _standard_service(tables: Tables) -> Iterator[Problem]:
    """Every severity has hours for class standard, to which all others fall back."""
    file = tables["service_levels"]
    severities = {
        row.values["severity"] for row in file.rows if row.values["service_class"] == LOWEST_TIER
    }
    for severity in file.table.columns["severity"].enum:
        if severity not in severities:
            message = (
                f"no hours for service_class {LOWEST_TIER}, severity {severity}, "
                "to which other classes fall back; add the row"
            )
            yield Problem(file.path, message)


def _unit_of_rates(tables: Tables) -> Iterator[Problem]:
    file = tables["fx_rates"]
    for row in file.rows:
        if row.values["currency"] == "CNY" and row.values["cny_per_unit"] != 1:
            message = "CNY is the unit of the table; leave the row out"
            yield file.problem(row, "cny_per_unit", message)


def _aging_buckets(tables: Tables) -> Iterator[Problem]:
    file = tables["aging_buckets"]
    spans: list[tuple[int, float, Row]] = []
    for row in file.rows:
        first, last = row.values["from_days"], row.values["to_days"]
        if not isinstance(first, int) or (last is None and row.texts["to_days"]):
            continue
        if isinstance(last, int) and last < first:
            yield file.problem(row, "to_days", "must not be below from_days")
        else:
            spans.append((first, last if isinstance(last, int) else float("inf"), row))
    spans.sort(key=lambda span: (span[0], span[2].number))
    for before, span in pairwise(spans):
        if span[0] <= before[1]:
            message = f"overlaps row {before[2].number}; a day belongs to one bucket"
            yield file.problem(span[2], "from_days", message)


RULES: tuple[Callable[[Tables], Iterable[Problem]], ...] = (
    _duplicate_keys,
    _reserved_codes,
    _region_levels,
    _single_group,
    _region_cycles,
    _unit_of_rates,
    _policy_validity,
    _override_validity,
    _policy_methods,
    _policy_bands,
    _tier_ranks,
    _star_bands,
    _star_levels,
    _delivered_value_ends,
    _social_points,
    _weights,
    _standard_service,
    _aging_buckets,
)

POLICY_RULES: tuple[Callable[[Tables], Iterable[Problem]], ...] = (
    _duplicate_keys,
    _reserved_codes,
    _policy_validity,
    _policy_methods,
    _policy_bands,
    _tier_ranks,
)
