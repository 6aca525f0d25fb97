-- Remembers which record of the same person is kept.
-- Parameters: $1 uuid: customer; $2 uuid: the record that is kept, or null
UPDATE notifier.contacts SET merged_into = $2 WHERE customer_id = $1
