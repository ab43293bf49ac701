-- Pseudo-random draws: a function of seed, topic and entity alone, so that the same seed
-- gives the same operator whatever the threads, and later months change nothing earlier.

create macro bits(topic, entity) as
    md5_number_lower(concat(getvariable('seed'), ':', topic, ':', entity));

-- one of four independent numbers in [0, 1) within the bits
create macro part(drawn, place) as
    ((drawn >> (16 * place)) & 65535) / 65536.0;

create macro draw(topic, entity) as
    (bits(topic, entity) >> 11) / 9007199254740992.0;

-- about standard normal: the sum of four uniform numbers
create macro normal(drawn) as
    (part(drawn, 0) + part(drawn, 1) + part(drawn, 2) + part(drawn, 3) - 2) * sqrt(3);

create macro pick(list, share) as
    list[1 + cast(floor(share * len(list)) as integer)];

-- months until an event that comes with the same chance every month
create macro months_until(share, chance) as
    cast(least(floor(ln(1 - share) / ln(1 - chance)), 2400) as integer);

-- months are counted from the first of the sample
create macro month_start(number) as
    cast(getvariable('first_month') + to_months(number) as date);

create macro month_index(day) as
    cast(
        (year(day) - year(getvariable('first_month'))) * 12
        + month(day) - month(getvariable('first_month')) as integer
    );

-- an office-hours instant of a day
create macro office_hour(day, share) as
    cast(day as timestamp) + to_minutes(cast(8 * 60 + floor(share * 640) as integer));

create macro numbered(prefix, number, digits) as
    prefix || lpad(cast(number as varchar), digits, '0');
