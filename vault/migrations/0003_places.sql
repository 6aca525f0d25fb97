-- Look-up hashes lead to cases too: where a case is, as a keyed hash of what it asks for with the cell of some 50 metres that its place is
-- in, or with its property. A case is found by them while it is open; they go with the keys of its person.

COMMENT ON TABLE vault.lookups IS 'Keyed hashes by which a person is found from an email address, a phone number or a postcode, and an open case from its place.';
COMMENT ON COLUMN vault.lookups.person IS 'What it leads to: a customer or, of the kinds near and property, a case.';

-- As in 0001, but that the places of a person's cases are forgotten with their keys.
CREATE OR REPLACE FUNCTION vault.erase(p_person uuid, p_reason_code text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Somebody who holds the head for this long is stuck; the caller hears that nothing happened.
SET lock_timeout = '10s'
AS $$
DECLARE
    v_destroyed bigint;
    v_owner uuid;
BEGIN
    PERFORM 1 FROM ledger.head FOR UPDATE;

    -- With everybody whom they were found to be the same person as, whichever of the records is named.
    v_owner := vault.owner_of(p_person);
    INSERT INTO vault.erased_people (person, erased_at, reason_code)
    SELECT same.person, clock_timestamp(), p_reason_code
    FROM (
        SELECT p_person AS person
        UNION
        SELECT v_owner
        UNION
        SELECT own.person FROM vault.keys AS own WHERE own.owner = v_owner AND own.stream = own.person
    ) AS same
    ON CONFLICT (person) DO NOTHING;

    DELETE FROM vault.lookups
    WHERE person IN (p_person, v_owner)
       OR person IN (SELECT own.stream FROM vault.keys AS own WHERE own.owner = v_owner);
    DELETE FROM vault.keys WHERE owner = v_owner;
    GET DIAGNOSTICS v_destroyed = ROW_COUNT;
    RETURN v_destroyed;
END
$$;
