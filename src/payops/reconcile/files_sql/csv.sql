SELECT *
FROM read_csv(
    {path}, auto_detect = false, header = true, strict_mode = true, compression = '{compression}',
    delim = '{delimiter}', quote = '"', escape = '"', columns = {{{types}}}
)
