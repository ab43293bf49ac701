with campaign_versions as (

    select * from {{ ref('int_campaigns_deduplicated') }}

),

treated as (

    select * from {{ ref('int_campaign_customers_treated') }}

),

cells as (

    select * from {{ ref('int_campaign_cells_compared') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}
    where feed = 'contacts'

),

latest as (

    {{ latest_version('campaign_versions', 'campaign_id') }}

),

-- A campaign that was over before the contacts feed began has nothing to be judged by,
-- unless it was followed up.
campaigns as (

    select
        latest.campaign_id,
        latest.campaign_name,
        latest.objective,
        latest.starts_on,
        latest.ends_on,
        cast(coalesce(latest.fixed_cost, 0) as decimal(18, 4)) as fixed_cost,
        coalesce(
            {{ month_number('latest.ends_on') }} >= feeds.first_month_number, false
        ) as has_contacts
    from latest
    left join feeds on true

),

customers_summed as (

    select
        campaign_id,
        sum(contacts) as contacts,
        count(*) as contacted,
        count(case when is_reached then 1 end) as reached,
        count(case when is_accepted then 1 end) as accepted,
        count(case when not is_measured then 1 end) as customers_unmeasured,
        count(case when is_measured and tier_code is null then 1 end)
            as customers_unplaced,
        {{ sum_money('contact_cost') }} as contact_cost
    from treated
    group by campaign_id

),

cells_summed as (

    select
        campaign_id,
        count(case when is_counted then 1 end) as cells_counted,
        count(case when not is_counted then 1 end) as cells_left_out,
        sum(case when is_counted then treated_customers else 0 end)
            as uplift_customers,
        sum(case when is_counted then control_customers else 0 end)
            as control_customers,
        sum(case when not is_counted then treated_customers else 0 end)
            as customers_left_out,
        {{ sum_money('uplift_margin') }} as uplift_margin
    from cells
    group by campaign_id

),

costed as (

    select
        campaigns.campaign_id,
        campaigns.campaign_name,
        campaigns.objective,
        campaigns.starts_on,
        campaigns.ends_on,
        campaigns.fixed_cost,
        campaigns.has_contacts or customers_summed.campaign_id is not null
            as has_contacts,
        customers_summed.contacts,
        customers_summed.contacted,
        customers_summed.reached,
        customers_summed.accepted,
        customers_summed.customers_unmeasured,
        customers_summed.customers_unplaced,
        coalesce(customers_summed.contact_cost, 0) as contact_cost,
        cast(
            campaigns.fixed_cost + coalesce(customers_summed.contact_cost, 0)
            as decimal(18, 4)
        ) as cost
    from campaigns
    left join customers_summed on campaigns.campaign_id = customers_summed.campaign_id

),

final as (

    select
        costed.campaign_id,
        costed.campaign_name,
        costed.objective,
        {%- for column in ['contacts', 'contacted', 'reached', 'accepted'] %}
        case
            when costed.has_contacts
                then cast(coalesce(costed.{{ column }}, 0) as bigint)
        end as {{ column }},
        {%- endfor %}
        costed.fixed_cost,
        costed.contact_cost,
        costed.cost,
        cells_summed.uplift_margin,
        {%- for column in [
            'uplift_customers', 'control_customers', 'customers_left_out',
        ] %}
        case
            when costed.has_contacts
                then cast(coalesce(cells_summed.{{ column }}, 0) as bigint)
        end as {{ column }},
        {%- endfor %}
        {%- for column in ['customers_unplaced', 'customers_unmeasured'] %}
        case
            when costed.has_contacts
                then cast(coalesce(costed.{{ column }}, 0) as bigint)
        end as {{ column }},
        {%- endfor %}
        {%- for column in ['cells_counted', 'cells_left_out'] %}
        case when costed.has_contacts then coalesce(cells_summed.{{ column }}, 0) end
            as {{ column }},
        {%- endfor %}
        {{ share_of('(cells_summed.uplift_margin - costed.cost)', 'costed.cost') }}
            as roi,
        costed.starts_on,
        costed.ends_on
    from costed
    left join cells_summed on costed.campaign_id = cells_summed.campaign_id

)

select * from final
