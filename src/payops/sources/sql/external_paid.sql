-- How owners are paid: their own row, their configuration and their connections side by side. Who is
-- paid by the platform alone, and has no configuration, is not told.
SELECT
    coalesce(person.id, config.owner) AS owner,
    person.mode AS mode,
    config.mode AS config_mode,
    config.owner IS NOT NULL AS has_config,
    config.main AS primary,
    CASE WHEN {has_connections} THEN coalesce(own.connected, 0) END AS connected,
    CASE
        WHEN {has_connections} AND config.main IS NOT NULL
        THEN coalesce(config.main = ANY(own.processors), false)
    END AS primary_connected,
    config.min_external, config.max_platform, config.minimum_collection, config.maximum_outstanding
FROM (
    SELECT id, mode
    FROM ({owners}) AS everybody
    WHERE mode = ANY(%(outside)s::text[]) OR id IN (SELECT owner FROM ({configs}) AS configured)
) AS person
FULL JOIN ({configs}) AS config ON config.owner = person.id
LEFT JOIN (
    SELECT owner, count(*) AS connected, array_agg(processor) AS processors
    FROM ({connections}) AS each
    WHERE status = ANY(%(connected)s::text[])
    GROUP BY owner
) AS own ON own.owner = coalesce(person.id, config.owner)
ORDER BY length(coalesce(person.id, config.owner)), coalesce(person.id, config.owner)
LIMIT %(most)s
