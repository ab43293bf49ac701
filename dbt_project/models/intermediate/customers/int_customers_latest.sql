{#- No operator's hierarchy is as high: what climbs further climbs in circles. -#}
{% set chain_limit = 64 %}

with recursive customer_versions as (

    select * from {{ ref('int_customers_deduplicated') }}

),

latest as (

    {{ latest_version('customer_versions', 'customer_id') }}

),

-- A parent that was never delivered ends the chain below it.
parent_links as (

    select
        latest.customer_id,
        latest.parent_customer_id
    from latest
    inner join latest as parents on latest.parent_customer_id = parents.customer_id

),

-- Every ancestor of every customer; a customer that meets itself stops climbing.
ancestors as (

    select
        customer_id,
        parent_customer_id as ancestor_id,
        1 as height
    from parent_links
    union all
    select
        ancestors.customer_id,
        parent_links.parent_customer_id as ancestor_id,
        ancestors.height + 1 as height
    from ancestors
    inner join parent_links on ancestors.ancestor_id = parent_links.customer_id
    where
        ancestors.height < {{ chain_limit }}
        and ancestors.ancestor_id <> ancestors.customer_id

),

-- The one ancestor above which there is none. A chain into a circle has no root.
roots as (

    select
        ancestors.customer_id,
        ancestors.ancestor_id as root_id
    from ancestors
    left join parent_links on ancestors.ancestor_id = parent_links.customer_id
    where parent_links.customer_id is null

),

final as (

    select
        latest.customer_id,
        latest.customer_name,
        latest.legal_form,
        latest.industry,
        latest.parent_customer_id,
        coalesce(roots.root_id, latest.customer_id) as group_id,
        latest.registered_on,
        latest.parent_customer_id is not null
        and (parent_links.customer_id is null or roots.root_id is null)
            as has_group_fault
    from latest
    left join parent_links on latest.customer_id = parent_links.customer_id
    left join roots on latest.customer_id = roots.customer_id

)

select * from final
