-- How texts of exported files are read: amounts, times and statuses, exactly or not at all (NULL).

-- `1234.56`, `1,234.56`, and `1234,56` of a European locale.
CREATE TEMP MACRO number_of(x) AS TRY_CAST(
    CASE
        WHEN regexp_full_match(trim(x), '[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,2})?') THEN trim(x)
        WHEN regexp_full_match(trim(x), '[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?') THEN replace(trim(x), ',', '')
        WHEN regexp_full_match(trim(x), '[+-]?[0-9]+,[0-9]{1,2}') THEN replace(trim(x), ',', '.')
    END AS DECIMAL(28, 6)
);

CREATE TEMP MACRO whole_of(x) AS CASE WHEN x = trunc(x) THEN CAST(x AS HUGEINT) END;

-- An amount in minor units as such, and one in major units by its currency's exponent.
CREATE TEMP MACRO minor_of(x) AS whole_of(number_of(x));
CREATE TEMP MACRO major_of(x, currency) AS whole_of(
    number_of(x) * CASE
        WHEN list_contains(getvariable('zero_decimal'), lower(trim(currency))) THEN 1
        WHEN list_contains(getvariable('three_decimal'), lower(trim(currency))) THEN 1000
        ELSE 100
    END
);

-- An amount as exact decimal text.
CREATE TEMP MACRO amount_of(x) AS CASE
    WHEN regexp_full_match(trim(x), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)') THEN trim(x)
    ELSE CAST(number_of(x) AS VARCHAR)
END;

-- Microseconds since the epoch of an ISO time, or of a number of seconds or milliseconds. A time
-- without a zone is of `zone`.
CREATE TEMP MACRO micros_of(x, zone) AS CASE
    WHEN regexp_full_match(trim(x), '[0-9]{9,11}') THEN CAST(trim(x) AS BIGINT) * 1000000
    WHEN regexp_full_match(trim(x), '[0-9]{12,14}') THEN CAST(trim(x) AS BIGINT) * 1000
    WHEN regexp_full_match(trim(x), '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)') THEN
        epoch_us(TRY_CAST(
            regexp_replace(trim(x), ' *([+-][0-9]{2}):?([0-9]{2})$', '\1:\2') AS TIMESTAMPTZ
        ))
    WHEN regexp_full_match(trim(x), '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?') THEN
        epoch_us(timezone(zone, TRY_CAST(trim(x) AS TIMESTAMP)))
END;

CREATE TEMP MACRO truth_of(x) AS CASE
    WHEN lower(trim(x)) IN ('true', 't', '1', 'yes', 'live') THEN true
    WHEN lower(trim(x)) IN ('false', 'f', '0', 'no', 'test') THEN false
END;

-- The state of a payment: the Dashboard's words (its export, column Status) and the API's.
CREATE TEMP MACRO intent_status_of(x) AS CASE
    WHEN replace(lower(trim(x)), ' ', '_') IN (
        'paid', 'succeeded', 'refunded', 'partially_refunded', 'partial_refund', 'disputed',
        'dispute_won', 'dispute_lost', 'dispute_needs_response', 'dispute_under_review'
    ) THEN 'succeeded'
    WHEN replace(lower(trim(x)), ' ', '_') IN ('failed', 'requires_payment_method', 'incomplete', 'blocked') THEN 'requires_payment_method'
    WHEN replace(lower(trim(x)), ' ', '_') IN ('pending', 'processing') THEN 'processing'
    WHEN replace(lower(trim(x)), ' ', '_') IN ('uncaptured', 'requires_capture') THEN 'requires_capture'
    WHEN replace(lower(trim(x)), ' ', '_') IN ('canceled', 'cancelled', 'expired') THEN 'canceled'
    WHEN replace(lower(trim(x)), ' ', '_') IN ('requires_action', 'requires_confirmation') THEN replace(lower(trim(x)), ' ', '_')
END;
