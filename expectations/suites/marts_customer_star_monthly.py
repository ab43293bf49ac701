"""Suite of the mart customer_star_monthly: points, labels and the stars in force."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.base import Rule
from expectations.suites.common import (
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    ranged,
    refers,
)

DATASET = mart("customer_star_monthly", "customer_id", "month", owner="customer value team")

DIMENSIONS = ("consumption", "credit", "satisfaction", "loyalty")

# Every name in the text stands between commas, so that none is found inside another.
NAMED = "contains(',' || coalesce(star_coverage, '') || ',', ',{},')"
ALL_POINTS = ", ".join(f"{dimension}_points" for dimension in DIMENSIONS)
COVERAGE_FITS = " and ".join(
    f"({dimension}_points is null) = {NAMED.format(dimension)}" for dimension in DIMENSIONS
)
NOT_RATED = f"(star_coverage is null and coalesce({ALL_POINTS}) is null)"

VALID_MONTHS = """(
    select cast(max(value) as integer) from reference.parameters
    where name = 'star_valid_months'
)"""
VALIDITY_FITS = f"""
(stars is null) = (star_valid_to is null)
and coalesce(
    star_valid_to > month and star_valid_to <= month + to_months({VALID_MONTHS}), true
)
"""

LABEL_FITS = """
select
    customer_id,
    month,
    {dimension}_label is distinct from (
        select arg_max(bands.label, bands.lower_bound)
        from reference.star_bands as bands
        where
            bands.dimension = '{dimension}'
            and bands.metric = 'total'
            and bands.lower_bound <= rated.{dimension}_points
    ) as failed
from marts.customer_star_monthly as rated
"""

POINTS_WEIGHED = f"""
with weights as (
    select
        {
    ", ".join(
        f"max(case when dimension = '{dimension}' then weight end) as {dimension}"
        for dimension in DIMENSIONS
    )
}
    from reference.star_weights
),
weighed as (
    select
        rated.customer_id,
        rated.month,
        rated.star_points,
        {
    " + ".join(
        f"coalesce(rated.{dimension}_points * weights.{dimension}, 0)" for dimension in DIMENSIONS
    )
} as points,
        {
    " + ".join(
        f"if(rated.{dimension}_points is null, 0, weights.{dimension})" for dimension in DIMENSIONS
    )
} as weight
    from marts.customer_star_monthly as rated
    cross join weights
)
select
    customer_id,
    month,
    case
        when weight = 0 then star_points is not null
        else coalesce(abs(star_points - points / weight) > 0.0001, true)
    end as failed
from weighed
"""

# Stars never lie below what the month itself earns; in the month of a rating they are it.
LEVEL_FITS = f"""
with leveled as (
    select
        rated.*,
        (
            select max(levels.stars) from reference.star_levels as levels
            where levels.lower_bound <= rated.star_points
        ) as level
    from marts.customer_star_monthly as rated
)
select
    customer_id,
    month,
    coalesce(stars < level, level is not null)
    or (star_valid_to = month + to_months({VALID_MONTHS}) and stars is distinct from level)
        as failed
from leveled
"""

NO_EARLY_FALL = """
with followed as (
    select
        customer_id,
        month,
        stars,
        lag(month) over by_month as month_before,
        lag(stars) over by_month as stars_before,
        lag(star_valid_to) over by_month as valid_to_before
    from marts.customer_star_monthly
    window by_month as (partition by customer_id order by month)
)
select
    customer_id,
    month,
    month = month_before + interval 1 month
    and month < valid_to_before
    and stars < stars_before as failed
from followed
"""

RANKED_ALONE = """
select
    rated.customer_id,
    rated.month,
    coalesce(rated.stars, rated.star_points) is not null
    and customers.relationship not in ('on_net', 'returned', 'dormant') as failed
from marts.customer_star_monthly as rated
inner join marts.customer_monthly as customers
    on rated.customer_id = customers.customer_id and rated.month = customers.month
"""

SAME_IN_CUSTOMER_MONTHLY = """
select
    customer_id,
    month,
    customers.customer_id is null
    or rated.customer_id is null
    or customers.stars is distinct from rated.stars as failed
from marts.customer_monthly as customers
full join marts.customer_star_monthly as rated using (customer_id, month)
"""

SAME_IN_DIM_CUSTOMER = """
select
    customers.customer_id,
    customers.stars is distinct from rated.stars as failed
from marts.dim_customer as customers
left join marts.customer_star_monthly as rated
    on
        customers.customer_id = rated.customer_id
        and rated.month = (select max(month) from marts.customer_star_monthly)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            first_day(DATASET),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            *[
                ranged(DATASET, f"{dimension}_points", 0, 100, "rulebook 7")
                for dimension in DIMENSIONS
            ],
            ranged(DATASET, "star_points", 0, 100, "rulebook 7"),
            ranged(DATASET, "stars", 1, 7, "rulebook 7"),
            *[_label_fits(dimension) for dimension in DIMENSIONS],
            holds(
                DATASET,
                "coverage_names_what_is_empty",
                "star_coverage names the dimensions without points, and only these; a"
                " customer that is not rated has neither.",
                f"({COVERAGE_FITS}) or {NOT_RATED}",
                "rulebook 0, not measured is not zero",
                column="star_coverage",
            ),
            holds(
                DATASET,
                "stars_are_valid_within_their_months",
                "Stars lapse after their month, and at most star_valid_months later; without"
                " stars nothing lapses.",
                VALIDITY_FITS,
                "rulebook 7",
                column="star_valid_to",
            ),
            compared(
                DATASET,
                "star_points_are_the_weighted_points",
                "star_points is the mean of the measured dimensions by their weights.",
                POINTS_WEIGHED,
                "rulebook 7",
                keys=["customer_id", "month"],
                column="star_points",
            ),
            compared(
                DATASET,
                "stars_fit_star_points",
                "Stars are never fewer than star_points earn, and exactly these in the month"
                " of a rating.",
                LEVEL_FITS,
                "rulebook 7",
                keys=["customer_id", "month"],
                column="stars",
            ),
            compared(
                DATASET,
                "stars_do_not_fall_while_valid",
                "From one month to the next stars fall only when those before have lapsed.",
                NO_EARLY_FALL,
                "rulebook 7",
                keys=["customer_id", "month"],
                column="stars",
            ),
            compared(
                DATASET,
                "ranked_customers_alone_are_rated",
                "A customer that is neither on_net, returned nor dormant has no points and"
                " no stars.",
                RANKED_ALONE,
                "rulebook 7, leaving ends it",
                keys=["customer_id", "month"],
                column="stars",
            ),
            compared(
                DATASET,
                "stars_agree_with_customer_monthly",
                "customer_monthly holds the same customer-months with the same stars.",
                SAME_IN_CUSTOMER_MONTHLY,
                "published contract",
                keys=["customer_id", "month"],
                column="stars",
            ),
            compared(
                DATASET,
                "stars_agree_with_dim_customer",
                "dim_customer shows the stars of the closing month.",
                SAME_IN_DIM_CUSTOMER,
                "published contract",
                keys=["customer_id"],
                column="stars",
            ),
        ],
        "Points, labels and stars of every customer-month.",
    )


def _label_fits(dimension: str) -> Rule:
    return compared(
        DATASET,
        f"{dimension}_label_fits_points",
        f"{dimension}_label is that of the highest band that {dimension}_points reach.",
        LABEL_FITS.format(dimension=dimension),
        "rulebook 7",
        keys=["customer_id", "month"],
        column=f"{dimension}_label",
    )
