-- All rows of one kind, each object once, those of the range only.
SELECT {columns}
FROM (
    SELECT {chosen}, row_number() OVER (PARTITION BY id ORDER BY {order}) AS nth_
    FROM ({rows})
)
WHERE
    nth_ = 1
    AND CAST(created_us AS BIGINT) >= {first}
    AND CAST(created_us AS BIGINT) < {last}
