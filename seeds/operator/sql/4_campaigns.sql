-- What is carried from month to month: campaigns, and events that are delivered later.

create table campaign_plans as
select
    numbers.number as starts,
    numbered('CAMP', numbers.number, 4) as campaign_id,
    getvariable('campaign_names')[1 + ((numbers.number - 1) // 2) % 5] as campaign_name,
    getvariable('campaign_objectives')[1 + ((numbers.number - 1) // 2) % 5]
        as objective,
    month_start(numbers.number) + 4 as starts_on,
    cast(4000 + floor(draw('campaign', numbers.number) * 8) * 500 as decimal(18, 2))
        as fixed_cost
from range(1, getvariable('months'), 2) as numbers (number);

-- Each campaign is announced, and corrected when its cost is known.
create table campaign_versions as
select
    starts as delivered,
    campaign_id,
    campaign_name,
    objective,
    cast(starts_on as date) as starts_on,
    cast(starts_on + 40 as date) as ends_on,
    fixed_cost,
    office_hour(month_start(starts), 0.2) as updated_at
from campaign_plans
union all
select
    starts + 2,
    campaign_id,
    campaign_name,
    objective,
    cast(starts_on as date),
    cast(starts_on + 45 as date),
    cast(fixed_cost * 1.08 as decimal(18, 2)),
    office_hour(month_start(starts + 2), 0.3)
from campaign_plans;

create table treated (k bigint, campaign_id varchar, objective varchar, starts integer);

create table payments_made (
    delivered integer,
    payment_id varchar,
    account_id varchar,
    invoice_id varchar,
    paid_on date,
    amount decimal(18, 2),
    payment_method varchar
);

create table complaint_versions (
    delivered integer,
    complaint_id varchar,
    customer_id varchar,
    subscription_id varchar,
    kind varchar,
    category varchar,
    severity varchar,
    channel varchar,
    description varchar,
    opened_at timestamp,
    first_owner varchar,
    owner_changes integer,
    acknowledged_at timestamp,
    resolved_at timestamp,
    closed_at timestamp,
    reopened_count integer,
    mediated boolean,
    satisfaction integer,
    compensation decimal(18, 2),
    status varchar,
    updated_at timestamp
);

create table proposal_versions (
    delivered integer,
    proposal_id varchar,
    customer_id varchar,
    product_code varchar,
    monthly_price decimal(18, 2),
    monthly_cost decimal(18, 2),
    one_off_price decimal(18, 2),
    one_off_cost decimal(18, 2),
    term_months integer,
    discount_rate decimal(9, 6),
    discount_limit decimal(9, 6),
    status varchar,
    proposed_on date,
    decided_on date,
    updated_at timestamp
);
