-- Connections and whose they are.
SELECT {id}::text AS key, {owner}::text AS owner FROM {connections}
