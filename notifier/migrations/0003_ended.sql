-- Whether a case has ended: then nobody is asked to book another time. Of those that ended before this ran it is not known; they are told
-- of a missed appointment as before.
ALTER TABLE notifier.cases ADD COLUMN ended boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN notifier.cases.ended IS 'Whether the case stands closed or cancelled, as far as was followed.';

GRANT UPDATE (ended) ON notifier.cases TO caseledger_notifier;
