-- Look-up hashes lead to cases and entitlements too: an open case, by what it asks for with the cell of some 50 metres that its place is in;
-- an entitlement, by what it is with its property. They go with the keys of whoever is erased, whichever of the people of a case that is:
-- a case that nobody finds by its place any more is better than one that somebody does who must not.

COMMENT ON TABLE vault.lookups IS 'Keyed hashes by which a person is found from an email address, a phone number or a postcode, an open case from its place, and an entitlement from its property.';
COMMENT ON COLUMN vault.lookups.person IS 'What it leads to: a customer; of the kind near, a case; of the kind property, an entitlement.';

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
