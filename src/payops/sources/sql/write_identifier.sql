-- The cluster's own number, given by initdb and kept by physical replicas.
SELECT system_identifier::text AS identifier FROM pg_control_system()
