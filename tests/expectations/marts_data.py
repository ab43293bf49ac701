"""Small marts that agree with each other: two customers, two months."""

from __future__ import annotations

from datetime import date, datetime

import duckdb

from tests.expectations.bench import Rows, create_table

JAN, FEB, MAR = (date(2024, number, 1) for number in (1, 2, 3))
MONEY = "decimal(18, 4)"

# customer, month, region, relationship, revenue, tier, rank, subscriptions
CUSTOMER_MONTHS = (
    ("C1", JAN, "GZ", "on_net", 1000, "silver", 4, 1),
    ("C2", JAN, "SZ", "on_net", 100, "standard", 5, 1),
    ("C1", FEB, "GZ", "on_net", 1200, "silver", 4, 1),
    ("C2", FEB, "SZ", "left", 0, "none", None, 0),
)

REGIONS = (
    ("GROUP", "group", None, None),
    ("GD", "province", None, "GD"),
    ("GZ", "local", "GZ", "GD"),
    ("SZ", "local", "SZ", "GD"),
)

# month, region, level, customers, key customers, revenue, left, active before
SUMMARIES = tuple(
    (month, region, level, *figures)
    for month, by_region in (
        (JAN, {"GZ": (1, 1, 1000, None), "SZ": (1, 0, 100, None), "all": (2, 1, 1100, None)}),
        (FEB, {"GZ": (1, 1, 1200, 0), "SZ": (0, 0, 0, 1), "all": (1, 1, 1200, 0.5)}),
    )
    for region, level, *_ in REGIONS
    for figures in [by_region.get(region, by_region["all"])]
)

# What complaints share, and what each is: kept, open for 41 days, an enquiry.
COMPLAINT = {
    "customer_id": "C1",
    "region_code": "GZ",
    "tier_code": "silver",
    "category": "billing",
    "severity": "major",
    "reopened_count": 0,
    "compensation": 0,
    "is_open": False,
    "mediated": False,
    "handed_off": False,
    "closed_loop": False,
    "opened_month": FEB,
    "opened_at": datetime(2024, 2, 20),
}
COMPLAINTS = {
    "K1": {
        "kind": "complaint",
        "status": "closed",
        "satisfaction": 4,
        "compensation": 20,
        "respond_limit_hours": 8,
        "resolve_limit_hours": 72,
        "respond_hours": 1,
        "resolve_hours": 48,
        "respond_breached": False,
        "resolve_breached": False,
        "regulatory_breached": False,
        "is_repeat": False,
        "mediated": True,
        "closed_loop": True,
        "acknowledged_at": datetime(2024, 2, 20, 1),
        "resolved_at": datetime(2024, 2, 22),
        "closed_at": datetime(2024, 2, 23),
    },
    "K2": {
        "customer_id": "C2",
        "region_code": "SZ",
        "tier_code": "standard",
        "kind": "fault",
        "category": "network_quality",
        "status": "open",
        "respond_limit_hours": 24,
        "resolve_limit_hours": 120,
        "respond_hours": 984,
        "resolve_hours": 984,
        "respond_breached": True,
        "resolve_breached": True,
        "regulatory_breached": True,
        "is_repeat": False,
        "is_open": True,
    },
    "K3": {"kind": "enquiry", "status": "resolved", "resolved_at": datetime(2024, 2, 20)},
}

STAR_DIMENSIONS = ("consumption", "credit", "satisfaction", "loyalty")

# customer, month: points by dimension, star points, stars, lapse, coverage. C1 keeps in
# February the stars that January earned.
STARS = {
    ("C1", JAN): ((50, None, 100, 70), 67.5, 5, date(2025, 1, 1), "credit"),
    ("C1", FEB): ((50, None, 70, 70), 60, 5, date(2025, 1, 1), "credit"),
    ("C2", JAN): ((50, 50, 50, 60), 52, 4, date(2025, 1, 1), None),
    ("C2", FEB): ((None, None, None, None), None, None, None, None),
}

BENEFITS = ("product_index", "service_index", "personnel_index", "image_index")
COSTS = ("monetary_index", "time_index", "effort_index", "psychic_index")

# customer, month: benefits, costs, their difference, coverage.
DELIVERED = {
    ("C1", JAN): ((90, 80, 70, 60), (50, 40, 30, 20), 40, None),
    ("C1", FEB): ((90, None, 70, 60), (50, None, 30, 20), 40, "service,time"),
    ("C2", JAN): (
        (90, None, 70, None),
        (50, None, None, 20),
        45,
        "service,image,time,effort",
    ),
    ("C2", FEB): (
        (None, None, None, None),
        (None, None, None, 20),
        None,
        "product,service,personnel,image,monetary,time,effort",
    ),
}

TABLES: dict[str, tuple[dict[str, str], Rows]] = {
    "reference.parameters": (
        {"name": "varchar", "value": "decimal(18, 6)"},
        [
            {"name": "premier_minimum_kinds", "value": 2},
            {"name": "current_value_months", "value": 12},
            {"name": "star_valid_months", "value": 12},
            {"name": "affected_revenue_months", "value": 12},
            {"name": "drift_months", "value": 12},
            {"name": "drift_minimum_months", "value": 6},
            {"name": "drift_deviations", "value": 4},
            {"name": "drift_minimum_share", "value": "0.25"},
            {"name": "drift_minimum_customers", "value": 10},
            {"name": "drift_minimum_rate", "value": "0.02"},
            {"name": "churn_horizon_months", "value": 1},
            {"name": "churn_test_months", "value": 1},
            {"name": "churn_calibration_tolerance", "value": 0.02},
            {"name": "churn_minimum_events", "value": 50},
            {"name": "churn_minimum_rows", "value": 500},
            {"name": "churn_leak_auc", "value": 0.97},
            {"name": "backtest_groups", "value": 2},
            {"name": "expiring_days", "value": 90},
            {"name": "renewal_days", "value": 60},
            {"name": "value_at_risk_months", "value": 12},
            {"name": "uplift_minimum", "value": 1},
        ],
    ),
    "reference.risk_bands": (
        {"risk_band": "varchar", "lower_bound": "decimal(18, 6)"},
        [
            {"risk_band": "low", "lower_bound": 0},
            {"risk_band": "medium", "lower_bound": 0.05},
            {"risk_band": "very_high", "lower_bound": 0.3},
        ],
    ),
    "reference.aging_buckets": ({"bucket": "varchar"}, [{"bucket": "1-30"}]),
    "reference.star_bands": (
        {
            "dimension": "varchar",
            "metric": "varchar",
            "lower_bound": "decimal(18, 6)",
            "label": "varchar",
        },
        [
            {"dimension": dimension, "metric": metric, "lower_bound": bound, "label": label}
            for dimension in STAR_DIMENSIONS
            for metric, bound, label in (
                ("total", 60, "high"),
                ("total", 0, "low"),
                ("data_mb", 10, "never"),
            )
        ],
    ),
    "reference.star_levels": (
        {"stars": "bigint", "lower_bound": "decimal(18, 6)"},
        [
            {"stars": stars, "lower_bound": bound}
            for stars, bound in ((1, 0), (3, 35), (4, 50), (5, 65))
        ],
    ),
    "reference.star_weights": (
        {"dimension": "varchar", "weight": "decimal(18, 6)"},
        [
            {"dimension": dimension, "weight": weight}
            for dimension, weight in zip(STAR_DIMENSIONS, (0.4, 0.2, 0.2, 0.2), strict=True)
        ],
    ),
    "reference.tier_policies": (
        {"policy_id": "varchar", "valid_from": "date", "valid_to": "date"},
        [
            {"policy_id": "house", "valid_from": JAN, "valid_to": None},
            {"policy_id": "retired", "valid_from": JAN, "valid_to": FEB},
        ],
    ),
    "reference.tier_bands": (
        {"policy_id": "varchar", "policy_version": "bigint", "tier_code": "varchar"},
        [
            {"policy_id": "house", "policy_version": 1, "tier_code": tier}
            for tier in ("gold", "silver", "standard")
        ],
    ),
    "marts.dim_customer": (
        {
            "customer_id": "varchar",
            "customer_name_masked": "varchar",
            "legal_form": "varchar",
            "region_code": "varchar",
            "group_id": "varchar",
            "manager_id": "varchar",
            "relationship": "varchar",
            "segment": "varchar",
            "key_kinds": "varchar",
            "tier_code": "varchar",
            "stars": "bigint",
            "first_active_month": "date",
        },
        [
            {
                "customer_id": "C1",
                "customer_name_masked": "S*** T***",
                "legal_form": "organisation",
                "region_code": "GZ",
                "group_id": "C1",
                "manager_id": "M1",
                "relationship": "on_net",
                "segment": "key",
                "key_kinds": "group,important",
                "tier_code": "silver",
                "stars": 5,
                "first_active_month": JAN,
            },
            {
                "customer_id": "C2",
                "customer_name_masked": "王***",
                "legal_form": "individual",
                "region_code": "SZ",
                "group_id": "C1",
                "relationship": "left",
                "segment": "public",
                "tier_code": "none",
                "first_active_month": JAN,
            },
        ],
    ),
    "marts.dim_region": (
        {
            "region_code": "varchar",
            "region_level": "varchar",
            "local_code": "varchar",
            "province_code": "varchar",
            "group_code": "varchar",
            "region_class": "varchar",
        },
        [
            {
                "region_code": code,
                "region_level": level,
                "local_code": local,
                "province_code": province,
                "group_code": "GROUP",
                "region_class": "1" if local else None,
            }
            for code, level, local, province in REGIONS
        ],
    ),
    "marts.dim_product": (
        {"product_code": "varchar", "product_family": "varchar"},
        [
            {"product_code": "MOB", "product_family": "mobile"},
            {"product_code": "UNITEMISED", "product_family": "unitemised"},
        ],
    ),
    "marts.dim_manager": (
        {"manager_id": "varchar", "region_code": "varchar", "grade": "varchar"},
        [{"manager_id": "M1", "region_code": "GZ", "grade": "senior"}],
    ),
    "marts.dim_month": (
        {
            "month": "date",
            "year": "bigint",
            "quarter": "bigint",
            "is_closed": "boolean",
            "closed_at": "timestamp",
        },
        [
            {
                "month": date(2024, number, 1),
                "year": 2024,
                "quarter": (number + 2) // 3,
                "is_closed": number < 4,
                "closed_at": datetime(2024, 4, 5) if number < 4 else None,
            }
            for number in range(1, 5)
        ],
    ),
    "marts.fct_revenue_monthly": (
        {
            "customer_id": "varchar",
            "account_id": "varchar",
            "product_code": "varchar",
            "month": "date",
            "revenue": MONEY,
            "recurring_revenue": MONEY,
            "usage_revenue": MONEY,
            "one_off_revenue": MONEY,
            "discount": MONEY,
            "adjustment": MONEY,
            "unitemised_revenue": MONEY,
            "active_subscriptions": "bigint",
        },
        [
            {
                "customer_id": customer,
                "account_id": f"A{customer}",
                "product_code": "MOB",
                "month": month,
                "revenue": revenue,
                "recurring_revenue": revenue + 10,
                "usage_revenue": 5,
                "one_off_revenue": 0,
                "discount": -20,
                "adjustment": 5,
                "unitemised_revenue": 0,
                "active_subscriptions": 1,
            }
            for customer, month, _, _, revenue, *_ in CUSTOMER_MONTHS
            if revenue
        ],
    ),
    "marts.fct_revenue_movement": (
        {
            "customer_id": "varchar",
            "month": "date",
            "movement": "varchar",
            "revenue_before": MONEY,
            "revenue": MONEY,
            "change": MONEY,
        },
        [
            {
                "customer_id": customer,
                "month": month,
                "movement": movement,
                "revenue_before": before,
                "revenue": revenue,
                "change": revenue - before,
            }
            for customer, month, movement, before, revenue in (
                ("C1", JAN, "new", 0, 1000),
                ("C2", JAN, "new", 0, 100),
                ("C1", FEB, "expansion", 1000, 1200),
                ("C2", FEB, "lost", 100, 0),
            )
        ],
    ),
    "marts.fct_invoice": (
        {
            "invoice_id": "varchar",
            "account_id": "varchar",
            "customer_id": "varchar",
            "billing_month": "date",
            "category": "varchar",
            "currency": "varchar",
            "due_on": "date",
            "total_amount": MONEY,
            "paid_amount": MONEY,
            "outstanding_amount": MONEY,
            "outstanding_reporting": MONEY,
            "settled_on": "date",
            "days_past_due": "bigint",
            "aging_bucket": "varchar",
        },
        [
            {
                "invoice_id": "I1",
                "account_id": "AC1",
                "customer_id": "C1",
                "billing_month": JAN,
                "category": "normal",
                "currency": "HKD",
                "due_on": date(2024, 2, 20),
                "total_amount": 1060,
                "paid_amount": 1000,
                "outstanding_amount": 60,
                "outstanding_reporting": 54,
                "days_past_due": 9,
                "aging_bucket": "1-30",
            },
            {
                "invoice_id": "I2",
                "account_id": "AC2",
                "customer_id": "C2",
                "billing_month": JAN,
                "category": "credit_note",
                "currency": "CNY",
                "due_on": date(2024, 2, 20),
                "total_amount": -5,
                "paid_amount": -5,
                "outstanding_amount": 0,
                "outstanding_reporting": 0,
                "settled_on": date(2024, 2, 1),
                "days_past_due": 0,
            },
        ],
    ),
    "marts.customer_monthly": (
        {
            "customer_id": "varchar",
            "month": "date",
            "relationship": "varchar",
            "region_code": "varchar",
            "manager_id": "varchar",
            "segment": "varchar",
            "is_important": "boolean",
            "is_high_value": "boolean",
            "is_group": "boolean",
            "is_strategic": "boolean",
            "is_premier": "boolean",
            "active_subscriptions": "bigint",
            "active_accounts": "bigint",
            "products": "bigint",
            "product_families": "bigint",
            "tenure_months": "bigint",
            "revenue": MONEY,
            "outstanding_amount": MONEY,
            "overdue_amount": MONEY,
            "credit_grade": "varchar",
            "stars": "bigint",
            "complaints_12m": "bigint",
            "open_complaints": "bigint",
        },
        [
            {
                "customer_id": customer,
                "month": month,
                "relationship": relationship,
                "region_code": region,
                "manager_id": "M1" if customer == "C1" else None,
                "segment": "key" if customer == "C1" else "public",
                "is_important": customer == "C1",
                "is_high_value": False,
                "is_group": customer == "C1",
                "is_strategic": False,
                "is_premier": customer == "C1",
                "active_subscriptions": active,
                "active_accounts": active,
                "products": active,
                "product_families": active,
                "tenure_months": 0,
                "revenue": revenue,
                "outstanding_amount": 60,
                "overdue_amount": 60,
                "credit_grade": "good",
                "stars": STARS[customer, month][2],
                "complaints_12m": 0,
                "open_complaints": 0,
            }
            for customer, month, region, relationship, revenue, _, _, active in CUSTOMER_MONTHS
        ],
    ),
    "marts.customer_value_monthly": (
        {
            "customer_id": "varchar",
            "month": "date",
            "revenue": MONEY,
            "cost_to_serve": MONEY,
            "relationship_cost": MONEY,
            "bad_debt": MONEY,
            "margin": MONEY,
            "current_value": MONEY,
            "potential_value": MONEY,
            "headroom_value": MONEY,
            "social_score": MONEY,
            "value_score": MONEY,
            "value_coverage": "varchar",
        },
        [
            {
                "customer_id": customer,
                "month": month,
                "revenue": revenue,
                "cost_to_serve": 40,
                "relationship_cost": None if month == JAN else 3,
                "bad_debt": None if month == JAN else 5,
                "margin": revenue - (40 if month == JAN else 48),
                "current_value": value,
                "potential_value": 0 if active == 0 else None,
                "headroom_value": 7 if active else None,
                "social_score": 40,
                "value_score": 90 if active else None,
                "value_coverage": coverage,
            }
            for (customer, month, _, _, revenue, *_, active), value, coverage in zip(
                CUSTOMER_MONTHS,
                (960, 60, 2112, 12),
                (
                    "contacts,complaints,payments,potential",
                    "contacts,complaints,payments,potential",
                    "potential",
                    None,
                ),
                strict=True,
            )
        ],
    ),
    "marts.customer_delivered_value_monthly": (
        {
            "customer_id": "varchar",
            "month": "date",
            **dict.fromkeys((*BENEFITS, *COSTS), MONEY),
            "delivered_value": MONEY,
            "coverage": "varchar",
        },
        [
            {
                "customer_id": customer,
                "month": month,
                **dict(zip(BENEFITS, benefits, strict=True)),
                **dict(zip(COSTS, costs, strict=True)),
                "delivered_value": value,
                "coverage": coverage,
            }
            for (customer, month), (benefits, costs, value, coverage) in DELIVERED.items()
        ],
    ),
    "marts.customer_star_monthly": (
        {
            "customer_id": "varchar",
            "month": "date",
            **{f"{dimension}_points": MONEY for dimension in STAR_DIMENSIONS},
            **{f"{dimension}_label": "varchar" for dimension in STAR_DIMENSIONS},
            "star_points": MONEY,
            "stars": "bigint",
            "star_valid_to": "date",
            "star_coverage": "varchar",
        },
        [
            {
                "customer_id": customer,
                "month": month,
                **{
                    f"{dimension}_points": earned
                    for dimension, earned in zip(STAR_DIMENSIONS, points, strict=True)
                },
                **{
                    f"{dimension}_label": "high" if earned >= 60 else "low"
                    for dimension, earned in zip(STAR_DIMENSIONS, points, strict=True)
                    if earned is not None
                },
                "star_points": total,
                "stars": stars,
                "star_valid_to": lapse,
                "star_coverage": coverage,
            }
            for (customer, month), (points, total, stars, lapse, coverage) in STARS.items()
        ],
    ),
    "intermediate.int_campaign_months_costed": (
        {"campaign_id": "varchar", "month": "date", "contacts": "bigint", "month_cost": MONEY},
        [
            {"campaign_id": "K1", "month": JAN, "contacts": 2, "month_cost": 100},
            {"campaign_id": "K1", "month": FEB, "contacts": 1, "month_cost": 100},
        ],
    ),
    "marts.customer_tier_monthly": (
        {
            "customer_id": "varchar",
            "month": "date",
            "policy_id": "varchar",
            "policy_version": "bigint",
            "metric": "varchar",
            "rule_tier": "varchar",
            "tier_code": "varchar",
            "tier_rank": "bigint",
            "tier_reason": "varchar",
            "service_class": "varchar",
            "gap_to_next": MONEY,
        },
        [
            {
                "customer_id": customer,
                "month": month,
                "policy_id": "house",
                "policy_version": 1,
                "metric": "avg_revenue",
                "rule_tier": tier,
                "tier_code": tier,
                "tier_rank": rank,
                "tier_reason": "rule" if rank else "inactive",
                "service_class": "silver" if tier == "silver" else "standard",
                "gap_to_next": 100 if rank else None,
            }
            for customer, month, _, _, _, tier, rank, _ in CUSTOMER_MONTHS
        ],
    ),
    "marts.customer_tier_history": (
        {
            "customer_id": "varchar",
            "valid_from": "date",
            "valid_to": "date",
            "tier_code": "varchar",
            "months": "bigint",
        },
        [
            {
                "customer_id": customer,
                "valid_from": start,
                "valid_to": end,
                "tier_code": tier,
                "months": months,
            }
            for customer, start, end, tier, months in (
                ("C1", JAN, None, "silver", 2),
                ("C2", JAN, FEB, "standard", 1),
                ("C2", FEB, None, "none", 1),
            )
        ],
    ),
    "marts.tier_migration_monthly": (
        {
            "month": "date",
            "tier_from": "varchar",
            "tier_to": "varchar",
            "customers": "bigint",
            "revenue": MONEY,
        },
        [
            {
                "month": month,
                "tier_from": before,
                "tier_to": after,
                "customers": 1,
                "revenue": revenue,
            }
            for month, before, after, revenue in (
                (JAN, "none", "silver", 1000),
                (JAN, "none", "standard", 100),
                (FEB, "silver", "silver", 1200),
                (FEB, "standard", "none", 0),
            )
        ],
    ),
    "marts.policy_comparison": (
        {
            "month": "date",
            "policy_id": "varchar",
            "tier_code": "varchar",
            "policy_version": "bigint",
            "tier_rank": "bigint",
            "customers": "bigint",
            "revenue": MONEY,
            "revenue_share": "double",
            "bound_metric_min": MONEY,
            "is_in_force": "boolean",
        },
        [
            {
                "month": month,
                "policy_id": policy,
                "tier_code": tier,
                "policy_version": 1,
                "tier_rank": rank,
                "customers": 1,
                "revenue": revenue,
                "revenue_share": revenue / total,
                "bound_metric_min": revenue if rank else None,
                "is_in_force": policy == "house",
            }
            for month, policy, tier, rank, revenue, total in (
                (JAN, "house", "silver", 4, 1000, 1100),
                (JAN, "house", "standard", 5, 100, 1100),
                (JAN, "retired", "key", 1, 1000, 1100),
                (JAN, "retired", "standard", 2, 100, 1100),
                (FEB, "house", "silver", 4, 1200, 1200),
                (FEB, "house", "none", None, 0, 1200),
            )
        ],
    ),
    "marts.revenue_concentration_monthly": (
        {
            "month": "date",
            "region_code": "varchar",
            "measure": "varchar",
            **{f"top_{share}_share": "double" for share in (1, 5, 10, 20, 50, 1000)},
            "gini": "double",
            "customers_for_20": "bigint",
            "customers_for_30": "bigint",
            "customers_for_80": "bigint",
        },
        [
            {
                "month": JAN,
                "region_code": "GROUP",
                "measure": "revenue",
                "top_1_share": 0.4,
                "top_5_share": 0.4,
                "top_10_share": 0.6,
                "top_20_share": 0.8,
                "top_50_share": 0.9,
                "top_1000_share": 1,
                "gini": 0.6,
                "customers_for_20": 1,
                "customers_for_30": 1,
                "customers_for_80": 3,
            }
        ],
    ),
    "marts.region_summary_monthly": (
        {
            "month": "date",
            "region_code": "varchar",
            "region_level": "varchar",
            "customers": "bigint",
            "key_customers": "bigint",
            "revenue": MONEY,
            "key_revenue_share": "double",
            "arpu": MONEY,
            "arpa": MONEY,
            "customer_churn_rate": "double",
            "revenue_churn_rate": "double",
            "retention_rate": "double",
            "revenue_won": MONEY,
            "revenue_kept": MONEY,
            "revenue_grown": MONEY,
            "complaints_per_1000": "double",
            "resolve_breach_share": "double",
            "overdue_amount": MONEY,
        },
        [
            {
                "month": month,
                "region_code": region,
                "region_level": level,
                "customers": customers,
                "key_customers": key_customers,
                "revenue": revenue,
                "key_revenue_share": 0.5,
                "arpu": 50,
                "arpa": 60,
                "customer_churn_rate": churn,
                "revenue_churn_rate": churn,
                "retention_rate": None if churn is None else 1 - churn,
                "revenue_won": 0,
                "revenue_kept": 0,
                "revenue_grown": 0,
                "complaints_per_1000": 0,
                "resolve_breach_share": 1,
            }
            for month, region, level, customers, key_customers, revenue, churn in SUMMARIES
        ],
    ),
    "marts.fct_complaint": (
        {
            "complaint_id": "varchar",
            "customer_id": "varchar",
            "region_code": "varchar",
            "tier_code": "varchar",
            "kind": "varchar",
            "category": "varchar",
            "severity": "varchar",
            "status": "varchar",
            "reopened_count": "bigint",
            "satisfaction": "bigint",
            "compensation": MONEY,
            "respond_limit_hours": "decimal(18, 6)",
            "resolve_limit_hours": "decimal(18, 6)",
            "respond_hours": MONEY,
            "resolve_hours": MONEY,
            "respond_breached": "boolean",
            "resolve_breached": "boolean",
            "regulatory_breached": "boolean",
            "is_repeat": "boolean",
            "is_open": "boolean",
            "mediated": "boolean",
            "handed_off": "boolean",
            "closed_loop": "boolean",
            "opened_month": "date",
            "opened_at": "timestamp",
            "acknowledged_at": "timestamp",
            "resolved_at": "timestamp",
            "closed_at": "timestamp",
        },
        [
            {**COMPLAINT, "complaint_id": complaint, **details}
            for complaint, details in COMPLAINTS.items()
        ],
    ),
    "marts.complaint_service_monthly": (
        {
            "month": "date",
            "region_code": "varchar",
            "tier_code": "varchar",
            "category": "varchar",
            "opened": "bigint",
            "resolved": "bigint",
            "open_at_end": "bigint",
            "respond_breach_share": "double",
            "resolve_breach_share": "double",
            "median_resolve_hours": MONEY,
            "p90_resolve_hours": MONEY,
            "repeat_share": "double",
            "reopened": "bigint",
            "mediated": "bigint",
            "mean_satisfaction": MONEY,
            "compensation": MONEY,
        },
        [
            {
                "month": FEB,
                "region_code": "GZ",
                "tier_code": "silver",
                "category": "billing",
                "opened": 1,
                "resolved": 1,
                "open_at_end": 0,
                "respond_breach_share": 0,
                "resolve_breach_share": 0,
                "median_resolve_hours": 48,
                "p90_resolve_hours": 48,
                "repeat_share": 0,
                "reopened": 0,
                "mediated": 1,
                "mean_satisfaction": 4,
                "compensation": 20,
            },
            *[
                {
                    "month": month,
                    "region_code": "SZ",
                    "tier_code": "standard",
                    "category": "network_quality",
                    "opened": opened,
                    "resolved": 0,
                    "open_at_end": 1,
                    "respond_breach_share": opened or None,
                    "resolve_breach_share": opened or None,
                    "repeat_share": 0 if opened else None,
                    "reopened": 0,
                    "mediated": 0,
                    "compensation": 0,
                }
                for month, opened in ((FEB, 1), (MAR, 0))
            ],
        ],
    ),
    "marts.customer_risk_monthly": (
        {
            "customer_id": "varchar",
            "month": "date",
            "churn_probability": "decimal(9, 6)",
            "risk_band": "varchar",
            "reason_1": "varchar",
            "reason_2": "varchar",
            "reason_3": "varchar",
            "model": "varchar",
            "left_within_3m": "boolean",
        },
        [
            {
                "customer_id": customer,
                "month": month,
                "churn_probability": probability,
                "risk_band": band,
                "reason_1": "use falling",
                "reason_2": "prepaid",
                "model": "logistic_regression",
                "left_within_3m": left,
            }
            for customer, month, probability, band, left in (
                ("C1", JAN, 0.05, "medium", False),
                ("C2", JAN, 0.95, "very_high", True),
                ("C1", FEB, 0.049999, "low", None),
            )
        ],
    ),
    "intermediate.int_churn_models_fitted": (
        {"fit": "varchar", "kind": "varchar", "name": "varchar", "single_auc": "double"},
        [
            {"fit": fit, "kind": "coefficient", "name": name, "single_auc": auc}
            for fit in ("evaluation", "final")
            for name, auc in (("intercept", None), ("usage_trend", 0.97), ("is_overdue", 0.5))
        ],
    ),
    "marts.churn_model": (
        {
            "model": "varchar",
            "fitted_at": "timestamp",
            "auc": "double",
            "auc_unseen_customers": "double",
            "average_precision": "double",
            "top_decile_lift": "double",
            "brier": "double",
            "calibration_in_the_large": "double",
            "base_rate": "double",
            "train_rows": "bigint",
            "train_events": "bigint",
            "test_rows": "bigint",
            "test_events": "bigint",
            "final_rows": "bigint",
            "final_events": "bigint",
        },
        [
            {
                "model": "logistic_regression",
                "fitted_at": datetime(2024, 3, 1),
                "auc": 0.97,
                "auc_unseen_customers": 0.9,
                "average_precision": 0.6,
                "top_decile_lift": 4.5,
                "brier": 0.02,
                "calibration_in_the_large": -0.01,
                "base_rate": 0.04,
                "train_rows": 500,
                "train_events": 50,
                "test_rows": 400,
                "test_events": 16,
                "final_rows": 900,
                "final_events": 66,
            }
        ],
    ),
    "marts.churn_backtest": (
        {
            "month": "date",
            "decile": "integer",
            "customers": "bigint",
            "predicted": "decimal(18, 6)",
            "realised": "bigint",
            "predicted_value": MONEY,
            "realised_value": MONEY,
            "is_in_sample": "boolean",
        },
        [
            {
                "month": JAN,
                "decile": decile,
                "customers": 1,
                "predicted": predicted,
                "realised": realised,
                "predicted_value": 12,
                "realised_value": 24 * realised,
                "is_in_sample": True,
            }
            for decile, predicted, realised in ((1, 0.95, 1), (2, 0.05, 0))
        ],
    ),
    "marts.fct_contact": (
        {
            "contact_id": "varchar",
            "customer_id": "varchar",
            "manager_id": "varchar",
            "campaign_id": "varchar",
            "tier_code": "varchar",
            "service_class": "varchar",
            "channel": "varchar",
            "purpose": "varchar",
            "outcome": "varchar",
            "score": "bigint",
            "cost": MONEY,
            "marketing_contacts_30_days": "bigint",
            "limit_30_days": "bigint",
            "counts_as_marketing": "boolean",
            "within_limit": "boolean",
            "contacted_month": "date",
            "contacted_at": "timestamp",
        },
        [
            {
                "contact_id": "T1",
                "customer_id": "C1",
                "manager_id": "M1",
                "campaign_id": "P1",
                "tier_code": "silver",
                "service_class": "silver",
                "channel": "sms",
                "purpose": "campaign",
                "outcome": "accepted",
                "cost": 1,
                "marketing_contacts_30_days": 2,
                "limit_30_days": 2,
                "counts_as_marketing": True,
                "within_limit": True,
                "contacted_month": FEB,
                "contacted_at": datetime(2024, 2, 20),
            },
            {
                "contact_id": "T2",
                "customer_id": "C2",
                "tier_code": "none",
                "service_class": "standard",
                "channel": "call",
                "purpose": "survey",
                "score": 5,
                "counts_as_marketing": False,
                "contacted_month": JAN,
                "contacted_at": datetime(2024, 1, 2),
            },
        ],
    ),
    "marts.retention_worklist": (
        {
            "customer_id": "varchar",
            "rank": "bigint",
            "relationship": "varchar",
            "region_code": "varchar",
            "tier_code": "varchar",
            "service_class": "varchar",
            "manager_id": "varchar",
            "reasons": "varchar",
            "first_reason": "varchar",
            "churn_probability": "decimal(9, 6)",
            "value_at_risk": MONEY,
            "recommended_channel": "varchar",
            "contact_allowed": "boolean",
            "contact_blocked_by": "varchar",
            "marketing_contacts_30_days": "bigint",
            "limit_30_days": "bigint",
            "relationship_dependence": "bigint",
            "has_single_contact_person": "boolean",
            "has_new_manager": "boolean",
            "lacks_recent_visit": "boolean",
            "has_known_competitor": "boolean",
        },
        [
            {
                "customer_id": "C1",
                "rank": 1,
                "relationship": "on_net",
                "region_code": "GZ",
                "tier_code": "silver",
                "service_class": "silver",
                "manager_id": "M1",
                "reasons": "high_risk,overdue",
                "first_reason": "high_risk",
                "churn_probability": 0.5,
                "value_at_risk": 100,
                "recommended_channel": "call",
                "contact_allowed": True,
                "marketing_contacts_30_days": 2,
                "limit_30_days": 3,
                "relationship_dependence": 2,
                "has_single_contact_person": True,
                "has_new_manager": False,
                "lacks_recent_visit": True,
                "has_known_competitor": False,
            },
            {
                "customer_id": "C2",
                "rank": 2,
                "relationship": "left",
                "region_code": "SZ",
                "tier_code": "none",
                "service_class": "standard",
                "reasons": "win_back",
                "first_reason": "win_back",
                "recommended_channel": "sms",
                "contact_allowed": False,
                "contact_blocked_by": "no_consent",
                "limit_30_days": 2,
                "relationship_dependence": 1,
                "has_known_competitor": True,
            },
        ],
    ),
    "marts.contract_renewal": (
        {
            "contract_id": "varchar",
            "customer_id": "varchar",
            "status": "varchar",
            "revenue_basis": "varchar",
            "days_left": "bigint",
            "monthly_revenue": MONEY,
            "churn_probability": "decimal(9, 6)",
            "value_at_risk": MONEY,
            "signed_on": "date",
            "starts_on": "date",
            "ends_on": "date",
            "end_month": "date",
        },
        [
            {
                "contract_id": contract,
                "customer_id": customer,
                "status": status,
                "revenue_basis": "subscriptions" if customer == "C1" else "customer",
                "days_left": days_left,
                "monthly_revenue": revenue,
                "churn_probability": 0.1 if customer == "C1" else None,
                "value_at_risk": 120 if customer == "C1" else None,
                "signed_on": date(2022, 5, 1),
                "starts_on": date(2022, 5, 1),
                "ends_on": ends_on,
                "end_month": ends_on.replace(day=1),
            }
            for contract, customer, status, days_left, revenue, ends_on in (
                ("R1", "C1", "expiring", 30, 100, date(2024, 4, 30)),
                ("R2", "C2", "lapsed", -90, 0, date(2024, 1, 1)),
                ("R3", "C2", "renewed", 0, 5, date(2024, 3, 31)),
            )
        ],
    ),
    "marts.campaign_result": (
        {
            "campaign_id": "varchar",
            "campaign_name": "varchar",
            "objective": "varchar",
            "contacts": "bigint",
            "contacted": "bigint",
            "reached": "bigint",
            "accepted": "bigint",
            "fixed_cost": MONEY,
            "contact_cost": MONEY,
            "cost": MONEY,
            "uplift_margin": MONEY,
            "uplift_customers": "bigint",
            "control_customers": "bigint",
            "customers_left_out": "bigint",
            "customers_unplaced": "bigint",
            "customers_unmeasured": "bigint",
            "cells_counted": "bigint",
            "cells_left_out": "bigint",
            "roi": "double",
            "starts_on": "date",
            "ends_on": "date",
        },
        [
            {
                "campaign_id": "P1",
                "campaign_name": "Spring",
                "objective": "upsell",
                "contacts": 1,
                "contacted": 1,
                "reached": 1,
                "accepted": 1,
                "fixed_cost": 10,
                "contact_cost": 1,
                "cost": 11,
                "uplift_margin": 33,
                "uplift_customers": 1,
                "control_customers": 1,
                "customers_left_out": 0,
                "customers_unplaced": 0,
                "customers_unmeasured": 0,
                "cells_counted": 1,
                "cells_left_out": 0,
                "roi": 2,
                "starts_on": FEB,
                "ends_on": MAR,
            },
            {
                "campaign_id": "P2",
                "campaign_name": "Before the contacts feed",
                "objective": "retention",
                "fixed_cost": 10,
                "contact_cost": 0,
                "cost": 10,
                "starts_on": JAN,
                "ends_on": JAN,
            },
        ],
    ),
    "marts.proposal_economics": (
        {
            "proposal_id": "varchar",
            "customer_id": "varchar",
            "product_code": "varchar",
            "status": "varchar",
            "term_months": "bigint",
            "monthly_margin": MONEY,
            "one_off_margin": MONEY,
            "npv": MONEY,
            "payback_month": "bigint",
            "margin_share": "double",
            "discount_rate": "decimal(9, 6)",
            "discount_limit": "decimal(9, 6)",
            "over_discount_limit": "boolean",
            "below_cost": "boolean",
            "proposed_on": "date",
            "decided_on": "date",
        },
        [
            {
                "proposal_id": "O1",
                "customer_id": "C1",
                "product_code": "MOB",
                "status": "won",
                "term_months": 12,
                "monthly_margin": 10,
                "one_off_margin": -25,
                "npv": 89,
                "payback_month": 3,
                "margin_share": 0.3,
                "discount_rate": 0.1,
                "discount_limit": 0.1,
                "over_discount_limit": False,
                "below_cost": False,
                "proposed_on": JAN,
                "decided_on": FEB,
            },
            {
                "proposal_id": "O2",
                "customer_id": "C2",
                "product_code": "MOB",
                "status": "open",
                "term_months": 6,
                "monthly_margin": -1,
                "one_off_margin": -2,
                "npv": -7.8,
                "margin_share": -0.2,
                "below_cost": True,
                "proposed_on": FEB,
            },
        ],
    ),
    "marts.manager_scorecard_monthly": (
        {
            "manager_id": "varchar",
            "month": "date",
            "customers": "bigint",
            "revenue": MONEY,
            "customers_before": "bigint",
            "customers_left": "bigint",
            "retention_rate": "double",
            "contracts_decided": "bigint",
            "contracts_renewed": "bigint",
            "renewal_rate": "double",
            "key_customers": "bigint",
            "key_customers_visited": "bigint",
            "key_visited_share": "double",
            "key_customers_visited_by_senior": "bigint",
            "senior_visit_share": "double",
            "service_outcomes": "bigint",
            "service_kept": "bigint",
            "service_level_kept_share": "double",
            "outstanding_amount": MONEY,
            "overdue_amount": MONEY,
            "overdue_share": "double",
            "score": "double",
        },
        [
            {
                "manager_id": "M1",
                "month": month,
                "customers": 1,
                "revenue": revenue,
                "customers_before": before,
                "customers_left": 0,
                "retention_rate": 1 if before else None,
                "contracts_decided": 0,
                "contracts_renewed": 0,
                "key_customers": 1,
                "key_customers_visited": before or None,
                "key_visited_share": before or None,
                "key_customers_visited_by_senior": 0 if before else None,
                "senior_visit_share": 0 if before else None,
                "service_outcomes": 2,
                "service_kept": 1,
                "service_level_kept_share": 0.5,
                "outstanding_amount": 60,
                "overdue_amount": 60,
                "overdue_share": 1,
                "score": 1,
            }
            for month, revenue, before in ((JAN, 1000, 0), (FEB, 1200, 1))
        ],
    ),
    "audit.reconciliation": (
        {
            "run_id": "varchar",
            "control": "varchar",
            "source_total": MONEY,
            "warehouse_total": MONEY,
            "difference": MONEY,
            "tolerance": MONEY,
            "passed": "boolean",
        },
        [
            {
                "run_id": run,
                "control": control,
                "source_total": 2300,
                "warehouse_total": 2300 - difference,
                "difference": difference,
                "tolerance": tolerance,
                "passed": difference <= tolerance,
            }
            for run, control, difference, tolerance in (
                ("run-0", "revenue_delivered", 1, 0),
                ("run-0", "charges_against_headers_CNY", 1, 0.5),
                ("run-0", "control_totals_invoices_total_amount", 1, 0),
                ("run-1", "revenue_delivered", 0, 0),
                ("run-1", "control_totals_invoices_total_amount", 0, 0),
                ("run-1", "charges_against_headers_CNY", 0.5, 0.5),
            )
        ],
    ),
}


def load_good(connection: duckdb.DuckDBPyConnection) -> None:
    """Every mart and the reference tables they are compared with."""
    for schema in ("reference", "intermediate", "marts", "audit"):
        connection.execute(f"create schema if not exists {schema}")
    for table, (columns, rows) in TABLES.items():
        create_table(connection, table, columns, rows)
