"""MetricFlow asked by its own command line, on a publication, as docs/bi.md says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from orchestration.warehouse.project import PROJECT_DIR, REPOSITORY, dbt_executable
from tests.support.command import clean_environment

# Starting `mf` takes longer than its answers: one process gives all of its commands.
COMMANDS = """
import json, sys
from dbt_metricflow.cli.main import cli
for arguments in json.loads(sys.argv[1]):
    cli.main(args=arguments, prog_name="mf", standalone_mode=False)
"""

METRICS = (
    "revenue arpu arpa margin customers key_customers key_customer_share key_revenue_share "
    "customer_churn_rate revenue_churn_rate complaints_per_1000 resolve_breach_share "
    "respond_breach_share outstanding_amount overdue_amount overdue_share current_value "
    "potential_value tiered_customers"
)
QUERIES = {
    "months": f"--metrics {METRICS.replace(' ', ',')} --group-by metric_time",
    "tiers": "--metrics tiered_customers,revenue --group-by metric_time,customer_month__tier_code",
    "provinces": "--metrics arpu,customer_churn_rate,complaints_per_1000 "
    "--group-by metric_time,region__province_code",
    "quarters": "--metrics revenue,arpu,customers,overdue_amount --group-by metric_time__quarter",
    "breaches": "--metrics resolve_breach_share --group-by metric_time,complaint__tier_code",
}
# What the marts say: by month for the group, from the summary where it has the figure.
BY_MONTH = """
select
    summary.month, summary.revenue, arpu, arpa, worth.margin, customers, key_customers,
    key_customers / customers as key_customer_share, key_revenue_share, customer_churn_rate,
    revenue_churn_rate, complaints_per_1000, resolve_breach_share, responses.respond_breach_share,
    debts.outstanding_amount, summary.overdue_amount, debts.overdue_share, worth.current_value,
    worth.potential_value, tiers.tiered_customers
from marts.region_summary_monthly as summary
inner join (
    select month, sum(margin) as margin, sum(current_value) as current_value,
        sum(potential_value) as potential_value
    from marts.customer_value_monthly group by month
) as worth on summary.month = worth.month
inner join (
    select month, sum(outstanding_amount) as outstanding_amount,
        sum(overdue_amount) / nullif(sum(outstanding_amount), 0) as overdue_share
    from marts.customer_monthly group by month
) as debts on summary.month = debts.month
left join (
    select month, sum(respond_breaches) / nullif(sum(respond_outcomes), 0) as respond_breach_share
    from marts.complaint_service_monthly group by month
) as responses on summary.month = responses.month
inner join (
    select month, count(*) as tiered_customers
    from marts.customer_tier_monthly where tier_code <> 'none' group by month
) as tiers on summary.month = tiers.month
where summary.region_level = 'group'
order by summary.month
"""
IN_THE_MARTS = {
    "months": BY_MONTH,
    "tiers": """
        select
            month, tier_code, sum(case when tier_code = 'none' then 0 else 1 end), sum(revenue)
        from marts.customer_tier_monthly
        inner join marts.customer_monthly using (customer_id, month)
        group by month, tier_code
        order by month, tier_code
    """,
    "provinces": """
        select month, region_code, arpu, customer_churn_rate, complaints_per_1000
        from marts.region_summary_monthly
        where region_level = 'province'
        order by month, region_code
    """,
    "quarters": """
        select
            date_trunc('quarter', month), sum(revenue), sum(revenue) / sum(active_subscriptions),
            max_by(customers, month), max_by(overdue_amount, month)
        from marts.region_summary_monthly
        where region_level = 'group'
        group by 1
        order by 1
    """,
    "breaches": """
        select month, tier_code, sum(resolve_breaches) / nullif(sum(resolve_outcomes), 0)
        from marts.complaint_service_monthly
        where resolve_outcomes > 0
        group by month, tier_code
        order by month, tier_code
    """,
}


def project_beside(folder: Path) -> Path:
    """A dbt project of the test's own, so that nothing is written into the repository.

    MetricFlow reads its manifest from the folder target in the project.
    """
    project = folder / PROJECT_DIR.name
    project.mkdir()
    for path in PROJECT_DIR.iterdir():
        if path.name not in ("target", "logs"):
            (project / path.name).symlink_to(path)
    (folder / "seeds").symlink_to(REPOSITORY / "seeds")
    return project


def ask(home: Path, project: Path, queries: dict[str, str]) -> dict[str, pd.DataFrame]:
    """The answers to queries, given as the arguments of `mf query`."""
    environment = clean_environment()
    environment |= {"TIERWISE_HOME": str(home), "DBT_TARGET": "publication"}
    files = {name: project / f"{name}.csv" for name in queries}
    commands = [
        ["query", *arguments.split(), "--csv", str(files[name])]
        for name, arguments in queries.items()
    ]
    for command in (
        [dbt_executable(), "--quiet", "parse"],
        [sys.executable, "-c", COMMANDS, json.dumps(commands)],
    ):
        outcome = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return {name: pd.read_csv(file) for name, file in files.items()}
