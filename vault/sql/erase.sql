-- Erases a person; returns how many keys were destroyed.
-- Parameters: $1 uuid: person; $2 text: reason code
SELECT vault.erase($1, $2)
