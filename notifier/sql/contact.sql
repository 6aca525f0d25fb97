-- How a customer is reached, and whether anything speaks against emails: to them, or to the same person's record that is kept.
-- Parameters: $1 uuid: customer
SELECT held.title, held.name, held.email,
    held.deceased OR coalesce(kept.deceased, false) AS deceased,
    held.withdrawn OR coalesce(kept.withdrawn, false) AS withdrawn,
    held.prefers_another_medium OR coalesce(kept.prefers_another_medium, false) AS prefers_another_medium
FROM notifier.contacts AS held
LEFT JOIN notifier.contacts AS kept ON kept.customer_id = held.merged_into
WHERE held.customer_id = $1
