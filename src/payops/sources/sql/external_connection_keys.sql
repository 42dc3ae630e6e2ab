-- Connections and whose they are.
SELECT {id} AS key, {owner}::text AS owner FROM {connections}
