-- Makes the schema that the migrations work in. Another migrator may make it at this moment.
-- Parameters: none
DO $$
BEGIN
    CREATE SCHEMA IF NOT EXISTS notifier;
EXCEPTION WHEN duplicate_schema OR unique_violation THEN
    NULL;
END
$$;
