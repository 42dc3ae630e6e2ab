-- Every balance transaction of a report, in the customer's currency where the report has it.
SELECT
    *,
    coalesce(charge_, CASE WHEN regexp_matches(source, '^(ch|py)') THEN source END) AS charge
FROM (
    SELECT
        _n,
        lower(replace({category}, ' ', '_')) AS category,
        {source} AS source,
        {charge} AS charge_,
        {intent} AS intent,
        micros_of({created}, 'UTC') AS created_us,
        lower(trim(coalesce({paid_in}, {settled}))) AS currency,
        CASE
            WHEN {paid} IS NULL OR {paid_in} IS NULL THEN major_of({gross}, {settled})
            ELSE major_of({paid}, {paid_in})
        END AS amount,
        major_of({fee}, {settled}) AS fee,
        lower(trim({settled})) AS fee_currency,
        {customer} AS customer,
        {meta_local} AS meta_local,
        {meta_order} AS meta_order
    FROM {view}
)
