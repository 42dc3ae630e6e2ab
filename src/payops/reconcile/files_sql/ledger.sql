-- All files of one ledger, each row once, those of the window only.
SELECT {columns}
FROM ({rows})
WHERE created_us >= {since} AND created_us < {until}
QUALIFY row_number() OVER (PARTITION BY key ORDER BY file_ DESC) = 1
