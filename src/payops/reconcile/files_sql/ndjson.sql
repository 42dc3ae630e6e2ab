SELECT {values}
FROM read_json_objects(
    {path}, format = 'auto', compression = '{compression}', maximum_object_size = 4194304
)
