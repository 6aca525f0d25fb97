-- Records that an officer is about to open what is sealed in a stream.
-- Parameters: $1 text: officer id; $2 text: reason; $3 uuid: stream; $4 int: how many fields; $5 timestamptz: when
INSERT INTO vault.openings (officer, reason, stream, fields, opened_at) VALUES ($1, $2, $3, $4, $5)
