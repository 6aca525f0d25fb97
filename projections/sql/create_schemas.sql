-- Makes the schemas that the migrations work in. Another migrator may make them at this moment.
-- Parameters: none
DO $$
DECLARE
    schema_name text;
BEGIN
    FOREACH schema_name IN ARRAY ARRAY['history', 'reporting'] LOOP
        BEGIN
            EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', schema_name);
        EXCEPTION WHEN duplicate_schema OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;
