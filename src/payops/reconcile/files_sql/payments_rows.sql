-- Every row of an export of payments (or of charges, refunds, disputes), one name a thing.
SELECT
    _n,
    {id} AS id,
    CASE
        WHEN regexp_matches({id}, '^(ch|py)_') THEN 'charges'
        WHEN regexp_matches({id}, '^(re|pyr)_') THEN 'refunds'
        WHEN regexp_matches({id}, '^(dp|du)_') THEN 'disputes'
        ELSE 'intents'
    END AS kind,
    coalesce({intent}, CASE WHEN starts_with({id}, 'pi_') THEN {id} END) AS intent,
    {charge} AS charge,
    micros_of({created}, 'UTC') AS created_us,
    {status} AS status,
    {amount} AS amount,
    {amount_captured} AS amount_captured,
    {amount_refunded} AS amount_refunded,
    lower(trim({currency})) AS currency,
    truth_of({livemode}) AS livemode,
    truth_of({captured}) AS captured,
    coalesce(
        truth_of({disputed}),
        CASE WHEN number_of({disputed_amount}) > 0 OR {dispute_status} IS NOT NULL THEN true END
    ) AS disputed,
    {customer} AS customer,
    {meta_local} AS meta_local,
    {meta_order} AS meta_order,
    {session} AS session,
    {failure_code} AS failure_code,
    {fee} AS fee,
    CASE WHEN {fee} IS NOT NULL THEN lower(trim({fee_currency})) END AS fee_currency,
    {reason} AS reason
FROM {view}
