SELECT *, {rank} AS rank
FROM read_csv(
    [{names}], auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
    columns = {{{types}}}
)
