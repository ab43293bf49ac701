"""Each rule on the marts passes on good data and fails on its own fault."""

from __future__ import annotations

import pytest

from expectations.runner import MARTS, build_suites
from tests.expectations import marts_data
from tests.expectations.bench import Bench, reads
from tests.expectations.faults import Fault, boundaries_of, expectation_id, faults_of

SUITES = dict(zip(MARTS, build_suites("marts", {}), strict=True))
RULES = {expectation_id(rule): rule for suite in SUITES.values() for rule in suite.expectations}
STRUCTURED = [(name, fault) for name, rule in RULES.items() for fault in faults_of(rule)]

MONTHLY = "update marts.customer_monthly set"
VALUES = "update marts.customer_value_monthly set"
DELIVERED = "update marts.customer_delivered_value_monthly set"
STARS = "update marts.customer_star_monthly set"
TIERS = "update marts.customer_tier_monthly set"
COMPLAINTS = "update marts.fct_complaint set"
SERVICE = "update marts.complaint_service_monthly set"
COMPARISON = "update marts.policy_comparison set"
RISKS = "update marts.customer_risk_monthly set"
CHURN = "update marts.churn_model set"
BACKTEST = "update marts.churn_backtest set"
SUMMARY = "update marts.region_summary_monthly set"
FEBRUARY_OF_C1 = "where customer_id = 'C1' and month = date '2024-02-01'"
CONTACTS = "update marts.fct_contact set"
WORKLIST = "update marts.retention_worklist set"
RENEWALS = "update marts.contract_renewal set"
CAMPAIGNS = "update marts.campaign_result set"
PROPOSALS = "update marts.proposal_economics set"
SCORECARDS = "update marts.manager_scorecard_monthly set"
FIRST_OF_C1 = "where customer_id = 'C1' and month = date '2024-01-01'"
LOCAL_JAN = "where region_code = 'GZ' and month = date '2024-01-01'"

CLOSING = "where month = date '2024-02-01'"
JANUARY_TEACHES = (
    "update reference.parameters set value = 1 where name = 'drift_minimum_months';"
    "update marts.dim_month set is_closed = month < date '2024-03-01'"
)
NO_CHURN = f"{SUMMARY} customer_churn_rate = 0, revenue_churn_rate = 0, retention_rate = 1"

# Rules with SQL of their own, each with the fault it is there to find.
OWN_FAULTS = {
    "marts_dim_customer.name_is_masked": (
        "update marts.dim_customer set customer_name_masked = 'S*** Trading'"
    ),
    "marts_dim_customer.segment_fits_kinds": "update marts.dim_customer set key_kinds = ''",
    "marts_dim_region.local_network_names_itself": (
        "update marts.dim_region set local_code = 'GD' where region_code = 'GZ'"
    ),
    "marts_dim_month.year_and_quarter_fit_month": "update marts.dim_month set quarter = 2",
    "marts_dim_month.closed_month_has_time": "update marts.dim_month set closed_at = null",
    "marts_dim_month.closed_months_are_unbroken": (
        "delete from marts.dim_month where month = date '2024-02-01'"
    ),
    "marts_fct_revenue_monthly.unitemised_revenue_has_its_own_product": (
        "update marts.fct_revenue_monthly"
        " set unitemised_revenue = 1, recurring_revenue = recurring_revenue - 1"
    ),
    "marts_fct_revenue_movement.change_is_the_difference": (
        "update marts.fct_revenue_movement set revenue = 1000.01, change = 1000"
        " where customer_id = 'C1' and movement = 'new'"
    ),
    "marts_fct_revenue_movement.movement_fits_amounts": (
        "update marts.fct_revenue_movement set movement = 'contraction'"
        " where movement = 'expansion'"
    ),
    "marts_fct_revenue_movement.changes_add_up": (
        "delete from marts.fct_revenue_movement where movement = 'lost'"
    ),
    "marts_fct_invoice.outstanding_is_at_most_the_total": (
        "update marts.fct_invoice set outstanding_amount = 1060.01 where invoice_id = 'I1'"
    ),
    "marts_fct_invoice.settled_invoice_has_no_balance": (
        "update marts.fct_invoice set settled_on = due_on where invoice_id = 'I1'"
    ),
    "marts_fct_invoice.open_balance_has_a_rate": (
        "update marts.fct_invoice set outstanding_reporting = null where invoice_id = 'I1'"
    ),
    "marts_customer_monthly.overdue_is_part_of_outstanding": (
        f"{MONTHLY} overdue_amount = 60.01 {FIRST_OF_C1}"
    ),
    "marts_customer_monthly.active_customer_has_an_account": (
        f"{MONTHLY} active_accounts = 2 {FIRST_OF_C1}"
    ),
    "marts_customer_monthly.active_customer_is_served": (
        f"{MONTHLY} relationship = 'left' {FIRST_OF_C1}"
    ),
    "marts_customer_monthly.segment_fits_kinds": f"{MONTHLY} segment = 'commercial' {FIRST_OF_C1}",
    "marts_customer_monthly.premier_customer_is_of_several_kinds": (
        f"{MONTHLY} is_group = false {FIRST_OF_C1}"
    ),
    "marts_customer_monthly.revenue_agrees_with_fct_revenue_monthly": (
        f"{MONTHLY} revenue = revenue + 0.0001 {FIRST_OF_C1}"
    ),
    "marts_customer_value_monthly.margin_is_revenue_less_costs": (
        f"{VALUES} cost_to_serve = 40.0001 {FIRST_OF_C1}"
    ),
    "marts_customer_value_monthly.coverage_names_what_is_empty": (
        f"{VALUES} value_coverage = 'contacts,complaints,payments' {FIRST_OF_C1}"
    ),
    "marts_customer_value_monthly.every_customer_month_has_a_value": (
        "delete from marts.customer_value_monthly"
        " where customer_id = 'C2' and month = date '2024-02-01'"
    ),
    "marts_customer_value_monthly.ranked_customers_have_a_score": (
        f"{VALUES} value_score = null {FIRST_OF_C1}"
    ),
    "marts_customer_value_monthly.current_value_is_the_margin_of_the_window": (
        f"{VALUES} current_value = 960.0001 {FIRST_OF_C1}"
    ),
    "marts_customer_value_monthly.campaign_costs_are_allocated": (
        "update intermediate.int_campaign_months_costed set contacts = 0"
    ),
    "marts_customer_value_monthly.revenue_agrees_with_customer_monthly": (
        f"{VALUES} revenue = 1000.0001, cost_to_serve = 40.0001 {FIRST_OF_C1}"
    ),
    "marts_customer_delivered_value_monthly.delivered_value_is_benefit_less_cost": (
        f"{DELIVERED} delivered_value = 40.0002 {FIRST_OF_C1}"
    ),
    "marts_customer_delivered_value_monthly.coverage_names_what_is_empty": (
        f"{DELIVERED} coverage = 'service' {FEBRUARY_OF_C1}"
    ),
    "marts_customer_delivered_value_monthly.every_customer_month_has_a_row": (
        f"delete from marts.customer_delivered_value_monthly {FIRST_OF_C1}"
    ),
    "marts_customer_delivered_value_monthly.psychic_index_needs_complaints": (
        f"{MONTHLY} complaints_12m = null {FIRST_OF_C1}"
    ),
    **{
        f"marts_customer_star_monthly.{dimension}_label_fits_points": (
            f"{STARS} {dimension}_label = 'high' where customer_id = 'C2'"
            " and month = date '2024-02-01'"
        )
        for dimension in marts_data.STAR_DIMENSIONS
    },
    "marts_customer_star_monthly.coverage_names_what_is_empty": (
        f"{STARS} star_coverage = null {FIRST_OF_C1}"
    ),
    "marts_customer_star_monthly.stars_are_valid_within_their_months": (
        f"{STARS} star_valid_to = date '2025-03-01' {FEBRUARY_OF_C1}"
    ),
    "marts_customer_star_monthly.star_points_are_the_weighted_points": (
        f"{STARS} star_points = 60.0002 {FEBRUARY_OF_C1}"
    ),
    "marts_customer_star_monthly.stars_fit_star_points": (
        f"{STARS} stars = 5 where customer_id = 'C2' and month = date '2024-01-01';"
        f"{MONTHLY} stars = 5 where customer_id = 'C2' and month = date '2024-01-01'"
    ),
    "marts_customer_star_monthly.stars_do_not_fall_while_valid": (
        f"{STARS} stars = 4, star_valid_to = date '2025-02-01' {FEBRUARY_OF_C1};"
        f"{MONTHLY} stars = 4 {FEBRUARY_OF_C1};"
        "update marts.dim_customer set stars = 4 where customer_id = 'C1'"
    ),
    "marts_customer_star_monthly.ranked_customers_alone_are_rated": (
        f"{MONTHLY} relationship = 'left' {FIRST_OF_C1}"
    ),
    "marts_customer_star_monthly.stars_agree_with_customer_monthly": (
        f"{MONTHLY} stars = 4 {FIRST_OF_C1}"
    ),
    "marts_customer_star_monthly.stars_agree_with_dim_customer": (
        "update marts.dim_customer set stars = 4 where customer_id = 'C1'"
    ),
    "marts_customer_tier_monthly.tier_is_of_the_policy": (
        f"{TIERS} tier_code = 'diamond', rule_tier = 'diamond' {FIRST_OF_C1}"
    ),
    "marts_customer_tier_monthly.inactive_customer_has_no_tier": (
        f"{TIERS} tier_reason = 'inactive' {FIRST_OF_C1}"
    ),
    "marts_customer_tier_monthly.rule_gives_the_rules_tier": (
        f"{TIERS} rule_tier = 'gold' {FIRST_OF_C1}"
    ),
    "marts_customer_tier_monthly.every_customer_month_has_a_tier": (
        f"delete from marts.customer_tier_monthly {FIRST_OF_C1}"
    ),
    "marts_customer_tier_monthly.ranked_customers_have_a_tier": (
        f"{TIERS} tier_code = 'none', rule_tier = 'none', tier_rank = null,"
        f" tier_reason = 'inactive' {FIRST_OF_C1}"
    ),
    "marts_customer_tier_monthly.month_has_one_policy": (
        "insert into reference.tier_bands values ('house', 2, 'silver');"
        f"{TIERS} policy_version = 2 {FIRST_OF_C1}"
    ),
    "marts_customer_tier_history.history_is_continuous": (
        "update marts.customer_tier_history set valid_to = date '2024-03-01'"
        " where customer_id = 'C1'"
    ),
    "marts_customer_tier_history.history_agrees_with_the_months": (
        "update marts.customer_tier_history set tier_code = 'gold' where customer_id = 'C1'"
    ),
    "marts_tier_migration_monthly.arrivals_add_up": (
        "delete from marts.tier_migration_monthly where tier_from = 'none' and tier_to = 'silver'"
    ),
    "marts_tier_migration_monthly.departures_add_up": (
        "delete from marts.tier_migration_monthly where tier_to = 'none'"
    ),
    "marts_policy_comparison.none_has_no_rank_and_no_metric": (
        f"{COMPARISON} bound_metric_min = 0 where tier_code = 'none'"
    ),
    "marts_policy_comparison.customers_are_those_of_the_month": (
        f"{COMPARISON} customers = 2 where policy_id = 'retired' and tier_code = 'key'"
    ),
    "marts_policy_comparison.revenue_is_that_of_the_month": (
        f"{COMPARISON} revenue = 1000.0001 where policy_id = 'retired' and tier_code = 'key'"
    ),
    "marts_policy_comparison.shares_add_up": (
        f"{COMPARISON} revenue_share = 0.9 where policy_id = 'retired' and tier_code = 'key'"
    ),
    "marts_policy_comparison.policy_in_force_is_compared": (
        f"{COMPARISON} is_in_force = false where month = date '2024-02-01'"
    ),
    "marts_policy_comparison.no_policy_is_left_out": (
        "delete from marts.policy_comparison where policy_id = 'retired'"
    ),
    "marts_revenue_concentration_monthly.shares_rise": (
        "update marts.revenue_concentration_monthly set top_5_share = 0.7"
    ),
    "marts_revenue_concentration_monthly.numbers_of_customers_rise": (
        "update marts.revenue_concentration_monthly set customers_for_30 = 4"
    ),
    "marts_region_summary_monthly.key_customers_are_customers": (
        f"{SUMMARY} key_customers = key_customers + 1 where month = date '2024-01-01'"
        " and region_code in ('GZ', 'GROUP')"
    ),
    "marts_region_summary_monthly.retention_is_the_rest_of_churn": (
        f"{SUMMARY} retention_rate = 0.4 where retention_rate = 0.5"
    ),
    "marts_region_summary_monthly.levels_add_up": f"{SUMMARY} revenue_won = 0.0001 {LOCAL_JAN}",
    "marts_region_summary_monthly.provinces_add_up": (
        f"{SUMMARY} revenue = revenue + 0.0001 where region_code = 'GD'"
    ),
    "marts_region_summary_monthly.revenue_agrees_with_fct_revenue_monthly": (
        f"{SUMMARY} revenue = revenue + 0.0001"
        " where month = date '2024-01-01' and region_code <> 'SZ'"
    ),
    "marts_fct_complaint.clocks_fit_kind": (
        f"{COMPLAINTS} regulatory_breached = false where kind = 'enquiry'"
    ),
    "marts_fct_complaint.respond_breach_fits_hours": (
        f"{COMPLAINTS} respond_hours = 8.0001 where complaint_id = 'K1'"
    ),
    "marts_fct_complaint.resolve_breach_fits_hours": (
        f"{COMPLAINTS} resolve_hours = 119.9999 where complaint_id = 'K2'"
    ),
    "marts_fct_complaint.open_complaint_is_not_resolved": (
        f"{COMPLAINTS} status = 'acknowledged' where complaint_id = 'K1'"
    ),
    "marts_fct_complaint.open_complaint_is_not_kept": (
        f"{COMPLAINTS} regulatory_breached = false where complaint_id = 'K2'"
    ),
    "marts_fct_complaint.nothing_is_later_than_the_closing_month": (
        f"{COMPLAINTS} closed_at = timestamp '2024-04-05' where complaint_id = 'K1'"
    ),
    "marts_fct_complaint.tier_is_that_of_the_month_before": (
        f"{COMPLAINTS} tier_code = 'none' where complaint_id = 'K2'"
    ),
    "marts_complaint_service_monthly.hours_are_of_those_resolved": (
        f"{SERVICE} p90_resolve_hours = 1 where month = date '2024-03-01'"
    ),
    "marts_complaint_service_monthly.parts_are_of_those_opened": (
        f"{SERVICE} reopened = 1 where month = date '2024-03-01'"
    ),
    "marts_complaint_service_monthly.opened_agrees_with_fct_complaint": (
        f"{SERVICE} opened = 2 where opened = 1 and resolved = 1"
    ),
    "marts_complaint_service_monthly.resolved_agrees_with_fct_complaint": (
        f"{SERVICE} resolved = 2 where resolved = 1"
    ),
    "marts_complaint_service_monthly.open_at_end_agrees_with_fct_complaint": (
        f"{SERVICE} open_at_end = 1 where open_at_end = 0"
    ),
    "marts_complaint_service_monthly.compensation_agrees_with_fct_complaint": (
        f"{SERVICE} compensation = 20.01 where compensation = 20"
    ),
    "marts_customer_tier_monthly.customers_of_a_tier_are_in_band": (
        f"{JANUARY_TEACHES}; update reference.parameters set value = 0"
        " where name in ('drift_deviations', 'drift_minimum_share', 'drift_minimum_customers')"
    ),
    "marts_revenue_concentration_monthly.concentration_is_in_band": (
        f"{JANUARY_TEACHES}; insert into marts.revenue_concentration_monthly"
        " select * replace (date '2024-02-01' as month, 0.299 as top_1_share)"
        " from marts.revenue_concentration_monthly"
    ),
    "marts_region_summary_monthly.revenue_is_in_band": (
        f"{JANUARY_TEACHES}; {NO_CHURN}; {SUMMARY} arpu = 62.51 {CLOSING}"
    ),
    "marts_region_summary_monthly.churn_is_in_band": (
        f"{JANUARY_TEACHES}; {NO_CHURN};"
        " update reference.parameters set value = 100 where name = 'drift_minimum_share';"
        f" {SUMMARY} revenue_churn_rate = 0.021 {CLOSING}"
    ),
    "marts_customer_risk_monthly.reasons_come_in_order": (
        f"{RISKS} reason_1 = reason_2 {FIRST_OF_C1}"
    ),
    "marts_customer_risk_monthly.bands_agree_with_the_probability": (
        f"{RISKS} risk_band = 'low' {FIRST_OF_C1}"
    ),
    "marts_customer_risk_monthly.every_ranked_customer_month_has_a_risk": (
        "delete from marts.customer_risk_monthly where month = date '2024-02-01'"
    ),
    "marts_customer_risk_monthly.departures_agree_with_customer_monthly": (
        f"{RISKS} left_within_3m = false, churn_probability = 0.01 where month = date '2024-02-01'"
    ),
    "marts_customer_risk_monthly.probabilities_are_calibrated": (
        f"{RISKS} churn_probability = 0.909 where customer_id = 'C2'"
    ),
    "marts_churn_model.events_are_among_the_rows": f"{CHURN} test_events = 17",
    "marts_churn_model.model_is_fitted_where_there_is_enough_to_learn_from": (
        f"{CHURN} train_events = 49"
    ),
    "marts_churn_model.model_beats_chance": f"{CHURN} average_precision = base_rate",
    "marts_churn_model.model_is_not_too_good_to_be_true": f"{CHURN} auc = 0.9701",
    "marts_churn_model.no_feature_alone_is_too_good_to_be_true": (
        "update intermediate.int_churn_models_fitted set single_auc = 0.9701"
        " where name = 'usage_trend' and fit = 'final'"
    ),
    "marts_churn_backtest.departures_are_among_the_customers": (
        f"{BACKTEST} predicted = 1.000001 where decile = 1"
    ),
    "marts_churn_backtest.groups_are_of_equal_size": (f"{BACKTEST} decile = decile + 1"),
    "marts_churn_backtest.probabilities_fall_from_group_to_group": (
        f"{BACKTEST} predicted = 0.96 where decile = 2"
    ),
    "marts_churn_backtest.customers_agree_with_customer_risk_monthly": (
        f"{BACKTEST} customers = 2"
    ),
    "marts_churn_backtest.realised_agrees_with_customer_risk_monthly": (f"{BACKTEST} realised = 1"),
    "marts_fct_contact.marketing_fits_purpose": (
        f"{CONTACTS} purpose = 'service_notice' where contact_id = 'T1'"
    ),
    "marts_fct_contact.only_marketing_is_counted": (
        f"{CONTACTS} limit_30_days = 2 where contact_id = 'T2'"
    ),
    "marts_fct_contact.within_limit_fits_the_count": (
        f"{CONTACTS} marketing_contacts_30_days = 3 where contact_id = 'T1'"
    ),
    "marts_fct_contact.limits_are_kept": (
        f"{CONTACTS} marketing_contacts_30_days = 3, within_limit = false where contact_id = 'T1'"
    ),
    "marts_fct_contact.nothing_is_later_than_the_closing_month": (
        f"{CONTACTS} contacted_at = timestamp '2024-04-01' where contact_id = 'T1'"
    ),
    "marts_fct_contact.tier_is_that_of_the_month_before": (
        f"{CONTACTS} tier_code = 'none' where contact_id = 'T1'"
    ),
    "marts_retention_worklist.first_reason_leads_the_reasons": (
        f"{WORKLIST} reasons = 'overdue,high_risk' where customer_id = 'C1'"
    ),
    "marts_retention_worklist.blocked_contact_says_why": (
        f"{WORKLIST} contact_blocked_by = null where customer_id = 'C2'"
    ),
    "marts_retention_worklist.allowed_contact_is_within_the_limit": (
        f"{WORKLIST} marketing_contacts_30_days = 3 where customer_id = 'C1'"
    ),
    "marts_retention_worklist.dependence_is_the_number_of_its_signs": (
        f"{WORKLIST} has_new_manager = true where customer_id = 'C1'"
    ),
    "marts_retention_worklist.ranks_follow_value_at_risk": (
        f"{WORKLIST} value_at_risk = 100.0001 where customer_id = 'C2'"
    ),
    "marts_retention_worklist.every_customer_that_left_is_to_be_won_back": (
        "delete from marts.retention_worklist where customer_id = 'C2'"
    ),
    "marts_retention_worklist.no_column_is_personal": (
        "alter table marts.retention_worklist add column contact_phone varchar"
    ),
    "marts_contract_renewal.status_fits_days_left": (
        f"{RENEWALS} status = 'running' where contract_id = 'R1'"
    ),
    "marts_contract_renewal.value_at_risk_is_the_chance_of_a_year": (
        f"{RENEWALS} value_at_risk = 120.0001 where contract_id = 'R1'"
    ),
    "marts_contract_renewal.end_month_is_that_of_the_end": (
        f"{RENEWALS} end_month = date '2024-05-01' where contract_id = 'R1'"
    ),
    "marts_contract_renewal.days_left_are_counted_from_the_closing_month": (
        f"{RENEWALS} days_left = 31 where contract_id = 'R1'"
    ),
    "marts_contract_renewal.one_contract_carries_a_customer": (
        f"{RENEWALS} monthly_revenue = 5 where contract_id = 'R2'"
    ),
    "marts_campaign_result.cost_is_fixed_cost_and_contacts": (
        f"{CAMPAIGNS} fixed_cost = 10.0001 where campaign_id = 'P1'"
    ),
    "marts_campaign_result.parts_are_of_those_contacted": (
        f"{CAMPAIGNS} accepted = 2 where campaign_id = 'P1'"
    ),
    "marts_campaign_result.nobody_contacted_is_forgotten": (
        f"{CAMPAIGNS} customers_left_out = 1 where campaign_id = 'P1'"
    ),
    "marts_campaign_result.cells_that_count_are_large": (
        f"{CAMPAIGNS} control_customers = 0 where campaign_id = 'P1'"
    ),
    "marts_campaign_result.roi_is_the_return_on_cost": (
        f"{CAMPAIGNS} roi = 3 where campaign_id = 'P1'"
    ),
    "marts_campaign_result.contacted_agrees_with_fct_contact": (
        "update marts.fct_contact set campaign_id = 'P2' where contact_id = 'T1'"
    ),
    "marts_proposal_economics.payback_is_the_first_month_even": (
        f"{PROPOSALS} payback_month = 4 where proposal_id = 'O1'"
    ),
    "marts_proposal_economics.npv_lies_between_its_margins": (
        f"{PROPOSALS} npv = 95.0001 where proposal_id = 'O1'"
    ),
    "marts_proposal_economics.discount_is_judged_by_its_limit": (
        f"{PROPOSALS} over_discount_limit = true where proposal_id = 'O1'"
    ),
    "marts_proposal_economics.below_cost_has_a_loss_a_month": (
        f"{PROPOSALS} below_cost = true where proposal_id = 'O1'"
    ),
    "marts_manager_scorecard_monthly.parts_are_of_their_whole": (f"{SCORECARDS} service_kept = 3"),
    "marts_manager_scorecard_monthly.shares_are_of_something": (f"{SCORECARDS} renewal_rate = 0"),
    "marts_manager_scorecard_monthly.revenue_agrees_with_customer_monthly": (
        f"{SCORECARDS} revenue = 1000.0001 where revenue = 1000"
    ),
    "marts_manager_scorecard_monthly.customers_agrees_with_customer_monthly": (
        f"{SCORECARDS} customers = 2 where revenue = 1000"
    ),
    "marts_reconciliation.difference_is_source_less_warehouse": (
        "update audit.reconciliation set warehouse_total = 2299.5"
        " where run_id = 'run-1' and control = 'revenue_delivered'"
    ),
    "marts_reconciliation.warehouse_ties_exactly": (
        "update audit.reconciliation set tolerance = 0.0001"
        " where run_id = 'run-1' and control = 'revenue_delivered'"
    ),
    "marts_reconciliation.control_passed": (
        "update audit.reconciliation set warehouse_total = 2299.9999, difference = 0.0001"
        " where run_id = 'run-1' and control = 'revenue_delivered'"
    ),
    "marts_reconciliation.control_totals_are_met": (
        "update audit.reconciliation set warehouse_total = 2299.9999, difference = 0.0001"
        " where run_id = 'run-1' and control = 'control_totals_invoices_total_amount'"
    ),
    "marts_reconciliation.delivery_agrees_with_itself": (
        "update audit.reconciliation set warehouse_total = 2299.4999, difference = 0.5001"
        " where run_id = 'run-1' and tolerance > 0"
    ),
}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(marts_data.load_good)


def failures(bench: Bench, identifier: str, *statements: str) -> dict[str, str]:
    bench.mend()
    for statement in statements:
        bench.connection.execute(statement)
    outcome = bench.check(SUITES[identifier.split(".")[0].removeprefix("marts_")])
    assert not outcome.errors
    return outcome.failed


@pytest.mark.parametrize("mart", MARTS)
def test_good_data_passes(bench: Bench, mart: str) -> None:
    assert not failures(bench, f"marts_{mart}.all")


def test_every_rule_has_a_fault_it_must_find() -> None:
    assert {name for name, _ in STRUCTURED} | set(OWN_FAULTS) == set(RULES)


@pytest.mark.parametrize(
    ("identifier", "fault"),
    STRUCTURED,
    ids=[f"{identifier}-{fault.name}" for identifier, fault in STRUCTURED],
)
def test_a_fault_against_the_published_contract_is_found(
    bench: Bench, identifier: str, fault: Fault
) -> None:
    failed = failures(bench, identifier, *fault.statements)
    assert identifier in failed
    if fault.column:
        for also in failed:
            assert reads(RULES[also], fault.column), f"{also} reads nothing that was broken"


@pytest.mark.parametrize("identifier", OWN_FAULTS)
def test_a_fault_is_found_and_no_other(bench: Bench, identifier: str) -> None:
    assert set(failures(bench, identifier, *OWN_FAULTS[identifier].split(";"))) == {identifier}


@pytest.mark.parametrize(
    ("identifier", "statement"),
    [(name, text) for name, rule in RULES.items() for text in boundaries_of(rule)],
)
def test_a_bound_itself_is_allowed(bench: Bench, identifier: str, statement: str) -> None:
    assert identifier not in failures(bench, identifier, statement)


def test_a_missing_rate_names_month_and_currency(bench: Bench) -> None:
    broken = "update marts.fct_invoice set outstanding_reporting = null where currency = 'HKD'"
    identifier = "marts_fct_invoice.open_balance_has_a_rate"
    assert failures(bench, identifier, broken)[identifier] == (
        "1 failing with 60.0000 in that currency, e.g. closing_month 2024-03-01, currency HKD"
    )
