"""Suite of the feed invoices: the money billed: keys, currency, tax, and charges that tie to it."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.custom.queries import ExpectFindingsToBeNone, ExpectVolumeToHold
from expectations.suites.common import (
    currency_code,
    has_happened,
    holds,
    in_order,
    raw_dataset,
    raw_suite,
)

COUNTED = "category not in ('duplicate', 'trial')"

CURRENCIES = """
select
    invoices.invoice_id,
    invoices.total_amount as amount,
    invoices.currency <> accounts.currency as failed
from checks.invoices as invoices
inner join checks.accounts as accounts on invoices.account_id = accounts.account_id
"""

# Every type of charge is billed, revenue or not, so all of them belong to the header.
HEADERS = """
select
    invoices.invoice_id,
    charge_totals.charged_amount + invoices.tax_amount - invoices.total_amount as amount,
    abs(charge_totals.charged_amount + invoices.tax_amount - invoices.total_amount)
        > limits.charges_tolerance as failed
from checks.invoices as invoices
inner join checks.charge_totals as charge_totals
    on invoices.invoice_id = charge_totals.invoice_id
cross join (
    select cast(value as decimal(18, 6)) as charges_tolerance
    from reference.parameters where name = 'charges_tolerance'
) as limits
"""

# The share is compared in CNY. An invoice whose currency has no rate that month stops
# the run elsewhere; here it counts with 1, as where only one currency is billed.
UNITEMISED = f"""
with billed as (
    select
        invoices.billing_month,
        charge_totals.invoice_id is not null as is_itemised,
        cast(round(
            coalesce(
                charge_totals.revenue_amount,
                invoices.total_amount - invoices.tax_amount
            ) * coalesce(cast(fx_rates.cny_per_unit as decimal(18, 8)), 1), 4
        ) as decimal(18, 4)) as revenue
    from checks.invoices as invoices
    left join checks.charge_totals as charge_totals
        on invoices.invoice_id = charge_totals.invoice_id
    left join reference.fx_rates as fx_rates
        on cast(fx_rates.month as date) = invoices.billing_month
        and fx_rates.currency = invoices.currency
    where invoices.{COUNTED}
),
covered as (
    select min(billing_month) as first_month, max(billing_month) as last_month
    from billed where is_itemised
),
shares as (
    select
        billed.billing_month,
        sum(case when billed.is_itemised then 0 else billed.revenue end) as amount,
        sum(billed.revenue) as month_revenue
    from billed
    inner join covered
        on billed.billing_month between covered.first_month and covered.last_month
    group by billed.billing_month
),
allowed as (
    select cast(max(value) as decimal(18, 6)) as share_limit
    from reference.parameters where name = 'unitemised_share_limit'
)
select
    shares.billing_month,
    shares.amount,
    shares.amount > coalesce(allowed.share_limit, 0) * greatest(shares.month_revenue, 0)
        as failed
from shares
cross join allowed
"""


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "invoices"))
    rules = [
        in_order(dataset, "issued_on", "due_on"),
        has_happened(dataset, "issued_on"),
        currency_code(dataset),
        holds(
            dataset,
            "tax_is_part_of_total",
            "tax_amount has the sign of total_amount and is not larger.",
            "tax_amount between least(0, total_amount) and greatest(0, total_amount)",
            "rulebook 3",
            severity="warning",
            column="tax_amount",
            amount="total_amount",
            money_unit="of total_amount",
        ),
        holds(
            dataset,
            "credit_note_is_not_positive",
            "A credit note lowers what is owed: its total is not above 0.",
            "category <> 'credit_note' or total_amount <= 0",
            "rulebook 4",
            severity="warning",
            column="total_amount",
            amount="total_amount",
            money_unit="of total_amount",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "currency_is_the_accounts",
            "An invoice is in the currency of its account.",
            "rulebook 4",
            column="currency",
            comparison=CURRENCIES,
            has_amount=True,
            money_unit="of total_amount",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "charges_add_up_to_the_header",
            "The charges of an itemised invoice and its tax add up to total_amount, to the cent.",
            "cross-feed reconciliation",
            severity="warning",
            column="total_amount",
            comparison=HEADERS,
            has_amount=True,
            money_unit="difference",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "revenue_is_itemised",
            "In a month that the charges feed covers, invoices without charges stay"
            " below the share of revenue that unitemised_share_limit allows.",
            "rulebook 3, unitemised revenue",
            column="total_amount",
            comparison=UNITEMISED,
            has_amount=True,
            money_unit="CNY",
            keys=["billing_month"],
        ),
        dataset.expect(
            ExpectVolumeToHold,
            "volume_holds",
            "A month's number of counted invoices is at least the share"
            " closing_month_minimum_share of the mean of the months before.",
            "rulebook 0, closing month",
            severity="warning",
            column="billing_month",
            counted=COUNTED,
            keys=["month"],
        ),
    ]
    return raw_suite(contract, "invoices", rules, amount="total_amount")
