"""Every rule of the reference tables refuses bad input and passes good input."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from orchestration.errors import ConfigurationError
from orchestration.ingest.reference import compose_reference
from orchestration.ingest.reference.contract import load_contract

REPOSITORY = Path(__file__).parents[3]
DEFAULTS = REPOSITORY / "seeds" / "reference"

POLICIES = (
    "policy_id,policy_version,name,operator,currency,metric,method,"
    "window_months,grace_months,valid_from,valid_to,source\n"
)
BANDS = (
    "policy_id,policy_version,tier_code,tier_rank,region_class,legal_form,"
    "comparator,bound,service_class,is_high_value\n"
)
OVERRIDES = "customer_id,tier_code,valid_from,valid_to,approved_by,reason\n"
REGIONS = "region_code,region_name,region_level,parent_code,region_class\n"

POLICY = "house,1,House,,CNY,avg_revenue,threshold,3,2,2020-01-01,,made for a test\n"
GOLD = "house,1,gold,1,,,ge,5000,gold,true\n"
OVERRIDE = "C1,gold,2026-01-01,2026-07-01,Li Na,named by the board\n"
TREE = "G,Group,group,,\nP,Province,province,G,\nL,Local,local,P,1\n"

GOOD = {
    "tier_policies": POLICIES + POLICY,
    "tier_bands": BANDS + GOLD,
    "tier_overrides": OVERRIDES + OVERRIDE,
    "regions": REGIONS + TREE,
}


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped defaults with a small policy, region tree and override."""
    folder = tmp_path_factory.mktemp("defaults")
    for path in DEFAULTS.glob("*.csv"):
        shutil.copy(path, folder)
    for name, text in GOOD.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def compose(defaults: Path, tmp_path: Path, **tables: str | bytes) -> str:
    """The error of a set with these tables replaced, or an empty text."""
    override = tmp_path / "override"
    override.mkdir(exist_ok=True)
    for name, text in tables.items():
        content = text if isinstance(text, bytes) else text.encode()
        (override / f"{name}.csv").write_bytes(content)
    try:
        compose_reference(defaults, override, tmp_path / "target", "house")
    except ConfigurationError as error:
        assert error.exit_code == 2
        assert not (tmp_path / "target").exists(), "nothing is written after an error"
        return str(error)
    return ""


def default_with(name: str, old: str, new: str) -> str:
    """The shipped table with one text replaced."""
    text = (DEFAULTS / f"{name}.csv").read_text()
    assert old in text
    return text.replace(old, new, 1)


def test_the_shipped_defaults_are_right(tmp_path: Path) -> None:
    found = compose_reference(DEFAULTS, None, tmp_path / "target")
    assert set(found.tables) == set(load_contract())
    assert found.overridden == []
    assert found.warnings == []


def test_the_small_set_of_these_tests_is_right(defaults: Path, tmp_path: Path) -> None:
    assert compose(defaults, tmp_path) == ""


BAD = [
    # a value by itself
    ("regions", REGIONS + TREE + "M,,local,P,2\n", "region_name", "value is required"),
    ("regions", REGIONS + TREE + "M,M,city,P,2\n", "'city'", "use one of group"),
    ("regions", REGIONS + TREE + "M,M,local,P,4\n", "'4'", "use one of 1, 2, 3"),
    ("regions", REGIONS + TREE + "M,M,local, P,2\n", "' P'", "remove them"),
    ("regions", REGIONS + TREE + "M,M,local,P\n", "row 4", "4 values for 5 columns"),
    (
        "tier_policies",
        POLICIES + POLICY.replace("avg_revenue", "arpu"),
        "column metric, value 'arpu'",
        "use one of avg_revenue",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("threshold", "limit"),
        "column method, value 'limit'",
        "use one of threshold",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("CNY", "Yuan"),
        "'Yuan'",
        "capital letters",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace(",3,2,", ",0,2,"),
        "column window_months, value '0'",
        "below 1",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace(",3,2,", ",3,two,"),
        "'two'",
        "not a whole number",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("2020-01-01", "2020-13-01"),
        "'2020-13-01'",
        "YYYY-MM-DD",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("2020-01-01,", "2020-01-01,2021-01-02"),
        "column valid_to, value '2021-01-02'",
        "first day of a month",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("2020-01-01", "2020-01-15"),
        "column valid_from, value '2020-01-15'",
        "first day of a month",
    ),
    (
        "tier_bands",
        BANDS + GOLD.replace(",ge,", ",le,"),
        "column comparator, value 'le'",
        "use one of ge, gt",
    ),
    (
        "tier_bands",
        BANDS + GOLD.replace(",gold,true", ",silverish,true"),
        "column service_class, value 'silverish'",
        "use one of diamond",
    ),
    (
        "tier_bands",
        BANDS + GOLD.replace(",,,ge", ",,person,ge"),
        "column legal_form, value 'person'",
        "use one of individual, organisation",
    ),
    ("tier_bands", BANDS + GOLD.replace("true", "yes"), "'yes'", "true or false"),
    ("tier_bands", BANDS + GOLD.replace("5000", "5 000"), "'5 000'", "not a decimal"),
    ("tier_bands", BANDS + GOLD.replace("5000", "NaN"), "'NaN'", "not a decimal"),
    (
        "tier_bands",
        BANDS + GOLD.replace("5000", "0.1234567"),
        "'0.1234567'",
        "more than 6 digits",
    ),
    ("tier_bands", BANDS + GOLD.replace("5000", "9" * 13), "'9999999999999'", "large"),
    (
        "tier_overrides",
        OVERRIDES + OVERRIDE.replace("2026-07-01", ""),
        "column valid_to",
        "value is required",
    ),
    (
        "tier_overrides",
        OVERRIDES + OVERRIDE.replace("Li Na", ""),
        "column approved_by",
        "value is required",
    ),
    (
        "tier_overrides",
        OVERRIDES + OVERRIDE.replace("named by the board", ""),
        "column reason",
        "value is required",
    ),
    ("fx_rates", "month,currency,cny_per_unit\n2026-01-01,USD,0\n", "'0'", "greater"),
    (
        "star_weights",
        default_with("star_weights", "credit,0.2", "credit,-0.2"),
        "column weight, value '-0.2'",
        "below 0",
    ),
    # keys
    (
        "tier_bands",
        BANDS + GOLD + GOLD,
        "row 2 (policy_id=house",
        "already in row 1",
    ),
    ("regions", REGIONS + TREE + "L,Twin,local,P,2\n", "row 4", "already in row 3"),
    # the region tree
    ("regions", REGIONS + TREE + "H,H,group,,\n", "column region_level", "G, H"),
    ("regions", REGIONS + "P,P,province,G,\n", "column region_level", "found none"),
    ("regions", REGIONS + TREE + "M,M,local,X,2\n", "'X'", "no region has this code"),
    ("regions", REGIONS + TREE + "M,M,local,G,2\n", "'G'", "name the province"),
    ("regions", REGIONS + TREE + "Q,Q,province,,\n", "parent_code", "is missing"),
    ("regions", REGIONS + TREE + "M,M,local,P,\n", "region_class", "write 1, 2 or 3"),
    ("regions", REGIONS + TREE + "Q,Q,province,G,1\n", "region_class", "leave it empty"),
    (
        "regions",
        REGIONS + TREE + "Q,Q,province,R,\nR,R,province,Q,\n",
        "column parent_code, value 'R'",
        "Q -> R -> Q",
    ),
    ("regions", REGIONS + TREE.replace("group,,", "group,P,"), "row 1", "above all"),
    ("regions", REGIONS + TREE + "UNKNOWN,U,local,P,1\n", "'UNKNOWN'", "built in"),
    (
        "products",
        "product_code,product_name,product_family,default_margin_share\nUNITEMISED,U,mobile,0.4\n",
        "'UNITEMISED'",
        "built in",
    ),
    (
        "fx_rates",
        "month,currency,cny_per_unit\n2026-01-01,CNY,1.1\n",
        "'1.1'",
        "leave the row out",
    ),
    # policies and bands
    (
        "tier_policies",
        POLICIES + POLICY + POLICY.replace("house,1", "house,2"),
        "row 2 (policy_id=house, policy_version=2)",
        "overlaps row 1",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("2020-01-01,", "2020-01-01,2019-01-01"),
        "column valid_to, value '2019-01-01'",
        "after valid_from",
    ),
    (
        "tier_policies",
        POLICIES + POLICY.replace("threshold", "score"),
        "column metric, value 'avg_revenue'",
        "value_score",
    ),
    (
        "tier_policies",
        POLICIES + POLICY + POLICY.replace("house,1", "other,1"),
        "policy_id=other",
        "no bands",
    ),
    (
        "tier_bands",
        BANDS + GOLD + GOLD.replace("house,1", "house,2"),
        "column policy_version, value '2'",
        "no such policy version",
    ),
    ("tier_bands", BANDS + GOLD.replace(",ge,", ",,"), "comparator", "write ge or gt"),
    (
        "tier_bands",
        BANDS + GOLD + GOLD.replace(",1,,,ge", ",2,3,,ge"),
        "column tier_rank, value '2'",
        "another rank",
    ),
    (
        "tier_bands",
        BANDS + GOLD + GOLD.replace(",gold,1", ",silver,1"),
        "column tier_rank, value '1'",
        "another tier",
    ),
    ("tier_bands", BANDS + GOLD.replace(",gold,1", ",none,1"), "'none'", "built in"),
    # overrides
    (
        "tier_overrides",
        OVERRIDES + OVERRIDE.replace("gold", "titanium"),
        "(customer_id=C1, valid_from=2026-01-01), column tier_code, value 'titanium'",
        "use one of gold, standard",
    ),
    (
        "tier_overrides",
        OVERRIDES + OVERRIDE + OVERRIDE.replace("2026-01-01", "2026-06-30"),
        "row 2",
        "overlaps row 1",
    ),
    (
        "tier_overrides",
        OVERRIDES + OVERRIDE.replace("2026-07-01", "2026-01-01"),
        "column valid_to",
        "after valid_from",
    ),
    # points, levels, hours, buckets
    (
        "star_bands",
        "dimension,metric,lower_bound,points,label\ncredit,total,0,,\n",
        "column label",
        "needs its label",
    ),
    (
        "star_bands",
        "dimension,metric,lower_bound,points,label\ncredit,on_time_ratio_12m,0,,\n",
        "column points",
        "needs its points",
    ),
    (
        "star_bands",
        "dimension,metric,lower_bound,points,label\n"
        + "".join(f"loyalty,tenure_months,{bound},{bound},\n" for bound in range(13)),
        "column metric",
        "13 bands of loyalty, tenure_months",
    ),
    (
        "delivered_value_indices",
        default_with("delivered_value_indices", "drop_rate,0.03,0", "drop_rate,0.03,0.030"),
        "column value_at_100",
        "two different ends",
    ),
    (
        "star_levels",
        default_with("star_levels", "3,35", "3,15"),
        "column lower_bound, value '15'",
        "higher bound",
    ),
    (
        "social_points",
        "attribute,code,lower_bound,points\ndesignation,poet,,5\n",
        "'poet'",
        "unknown designation",
    ),
    (
        "social_points",
        "attribute,code,lower_bound,points\nstrategic,yes,,5\n",
        "'yes'",
        "the only one is true",
    ),
    (
        "social_points",
        "attribute,code,lower_bound,points\ngroup_size,small,,5\n",
        "column lower_bound",
        "number it starts at",
    ),
    (
        "manager_kpi_weights",
        "measure,weight\nrevenue,0\n",
        "column weight",
        "all weights are zero",
    ),
    (
        "service_levels",
        default_with("service_levels", "standard,minor,48,360\n", ""),
        "service_levels.csv",
        "severity minor",
    ),
    (
        "service_levels",
        "service_class,severity,respond_hours,resolve_hours,monthly_cost\ngold,minor,1,2,-1\n",
        "column monthly_cost, value '-1'",
        "below 0",
    ),
    (
        "aging_buckets",
        "bucket,from_days,to_days\n1-30,1,30\n30+,30,\n",
        "column from_days, value '30'",
        "overlaps row 1",
    ),
    (
        "aging_buckets",
        "bucket,from_days,to_days\n1-30,30,1\n",
        "column to_days, value '1'",
        "below from_days",
    ),
    # whole tables
    (
        "parameters",
        default_with("parameters", "peer_minimum,30,customers,rulebook 5\n", ""),
        "name=peer_minimum",
        "copy the row",
    ),
    ("regions", REGIONS.replace("parent_code,", ""), "parent_code", "is missing"),
    ("regions", REGIONS[:-1] + ",parent_code\n", "column parent_code", "twice"),
    ("regions", b"\xff\xfe\x00", "regions.csv", "not UTF-8"),
    ("regions", REGIONS + 'G,"Group\n', "regions.csv", "not valid CSV"),
]


@pytest.mark.parametrize(
    ("table", "text", "place", "rule"),
    BAD,
    ids=[f"{table}-{rule}" for table, _, _, rule in BAD],
)
def test_a_fault_is_named_with_its_place_and_rule(
    defaults: Path, tmp_path: Path, table: str, text: str | bytes, place: str, rule: str
) -> None:
    error = compose(defaults, tmp_path, **{table: text})
    lines = [line for line in error.splitlines() if place in line and rule in line]
    assert lines, error
    assert f"{table}.csv" in lines[0]


@pytest.mark.parametrize(
    ("method", "bound", "is_right"),
    [
        ("top_n", "3000", True),
        ("top_n", "0", False),
        ("top_n", "1.5", False),
        ("top_share_of_customers", "0.2", True),
        ("top_share_of_customers", "1", True),
        ("top_share_of_customers", "20", False),
        ("cumulative_share_of_metric", "0", False),
        ("cumulative_share_of_metric", "0.3", True),
    ],
)
def test_a_bound_fits_its_method(
    defaults: Path, tmp_path: Path, method: str, bound: str, is_right: bool
) -> None:
    error = compose(
        defaults,
        tmp_path,
        tier_policies=POLICIES + POLICY.replace("threshold", method),
        # A ranking needs no comparison.
        tier_bands=BANDS + GOLD.replace(",ge,5000", f",,{bound}"),
    )
    assert ("column bound" in error) is not is_right
    assert (error == "") is is_right


@pytest.mark.parametrize("metric", ["margin", "value_score", "billed_amount"])
def test_metrics_of_later_marts_are_allowed(defaults: Path, tmp_path: Path, metric: str) -> None:
    policies = POLICIES + POLICY.replace("avg_revenue", metric)
    assert compose(defaults, tmp_path, tier_policies=policies) == ""


def test_policy_versions_and_overrides_may_follow_each_other(
    defaults: Path, tmp_path: Path
) -> None:
    first = POLICY.replace("2020-01-01,", "2020-01-01,2026-01-01")
    second = POLICY.replace("house,1", "house,2").replace("2020-01-01", "2026-01-01")
    later = OVERRIDE.replace("2026-01-01,2026-07-01", "2026-07-01,2027-01-01")
    # The newer version's own tier is known, and so is the tier of everybody else.
    bands = GOLD + GOLD.replace("house,1,gold", "house,2,ruby")
    error = compose(
        defaults,
        tmp_path,
        tier_policies=POLICIES + first + second,
        tier_bands=BANDS + bands,
        tier_overrides=OVERRIDES
        + OVERRIDE
        + later.replace("gold", "ruby")
        + OVERRIDE.replace("C1,gold", "C2,standard"),
    )
    assert error == ""


def test_an_override_is_judged_by_the_policy_in_force(defaults: Path, tmp_path: Path) -> None:
    other = POLICY.replace("house,1", "other,1")
    error = compose(
        defaults,
        tmp_path,
        tier_policies=POLICIES + POLICY + other,
        tier_bands=BANDS + GOLD + GOLD.replace("house,1,gold", "other,1,ruby"),
        tier_overrides=OVERRIDES + OVERRIDE.replace("gold", "ruby"),
    )
    assert "column tier_code, value 'ruby'" in error


def test_all_problems_are_listed_together(defaults: Path, tmp_path: Path) -> None:
    error = compose(
        defaults,
        tmp_path,
        regions=REGIONS + TREE + "M,M,local,X,2\nN,N,city,P,2\n",
        tier_overrides=OVERRIDES + OVERRIDE.replace("gold", "titanium"),
    )
    assert "3 problems" in error
    for value in ("'X'", "'city'", "'titanium'"):
        assert value in error


def test_a_missing_folder_is_named(defaults: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere does not exist"):
        compose_reference(defaults, tmp_path / "nowhere", tmp_path / "target")


def test_a_missing_default_is_named(defaults: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(defaults, broken)
    (broken / "regions.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"regions\.csv: the file cannot be"):
        compose_reference(broken, None, tmp_path / "target")


def test_the_contract_agrees_with_the_seed_definitions() -> None:
    """dbt loads each column with the type that was checked, and describes it.

    A column that a file may lack is read by no model.
    """
    path = REPOSITORY / "dbt_project/models/reference/_reference__seeds.yml"
    seeds = {seed["name"]: seed for seed in yaml.safe_load(path.read_text())["seeds"]}
    as_sql = {"string": "varchar", "integer": "bigint"}
    assert set(seeds) == set(load_contract())
    for name, table in load_contract().items():
        types = {
            column.name: as_sql.get(column.type, column.type)
            for column in table.columns.values()
            if not column.is_optional
        }
        found = {
            column: kind.replace(" ", "")
            for column, kind in seeds[name]["config"]["column_types"].items()
        }
        assert found == types
        described = {column["name"] for column in seeds[name]["columns"]}
        assert described == set(types)
        assert all(column["description"] for column in seeds[name]["columns"])
