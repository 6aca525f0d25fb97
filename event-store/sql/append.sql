-- Appends a batch; one row per command, in the order of the batch, or one for all.
-- Parameters: those of ledger.append (migrations/0010_before_the_lock.sql), in its order:
--   $1 text[] client, $2 uuid[] command id, $3 bytea[] fingerprint, $4 text[] aggregate type, $5 uuid[] aggregate id,
--   $6 text[] service, $7 bigint[] expected version, $8 text[] reference, $9 json[] problem, $10 text[] external system,
--   $11 text[] external id;
--   $12 int[] number of the event's command, $13 uuid[] event id, $14 text[] type, $15 text[] version, $16 json[] payload,
--   $17 json[] metadata, $18 timestamptz[] occurred at;
--   $19 int[] number of the command that brings a key, $20 uuid[] key id, $21 uuid[] person, $22 uuid[] stream,
--   $23 text[] category, $24 bytea[] wrapped key, $25 text[] wrapped by;
--   $26 int[] number of the command that uses a key, $27 uuid[] key id;
--   $28 int[] number of the command that brings a look-up hash, $29 text[] kind, $30 bytea[] hash, $31 uuid[] person;
--   $32 int[] number of the command that changes the owner of keys, $33 uuid[] from, $34 uuid[] to, $35 uuid[] stream,
--   $36 uuid[] person;
--   $37 int[] number of the command that takes or gives back a place, $38 text[] slot, $39 uuid[] holder, $40 int[] how many the slot has
SELECT verdict, "position", recorded_at, status, aggregate_id, reference, version, event_ids, problem
FROM ledger.append(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
    $12, $13, $14, $15, $16, $17, $18,
    $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36,
    $37, $38, $39, $40
)
