//! Limits, retries and waits of the bus, with their units.

use std::time::Duration;

/// The largest body of a command, a call, a query or a request for a replay, in bytes. What is larger is refused.
pub const MAX_BODY_BYTES: usize = schemas::envelope::MAX_BODY_BYTES;

/// What a stored message may hold beside the body of a command (its headers), in bytes.
pub const COMMAND_HEADERS_BYTES: usize = 16 * 1024;

/// The largest reply, result, event or feed message, in bytes: below the `max_payload` of nats-server that we ask for,
/// with room for headers.
pub const MAX_REPLY_BYTES: usize = 1024 * 1024 - 16 * 1024;

/// How many bytes of durable commands wait for a command-service before NATS refuses more.
pub const COMMANDS_BACKLOG_BYTES: i64 = 512 * 1024 * 1024;

/// How many durable commands may be out at a command-service without an acknowledgement.
pub const COMMANDS_MAX_ACK_PENDING: i64 = 1024;

/// After how long an unacknowledged durable command is delivered again.
pub const COMMANDS_ACK_WAIT: Duration = Duration::from_secs(60);

/// How many durable commands one pull asks for. With [`MAX_BODY_BYTES`] it bounds what waits in memory to 32 MiB.
pub const COMMANDS_PULL_BATCH: usize = 128;

/// How often NATS says that it is still there while a pull waits. After twice that the pull counts as broken: so long durable commands
/// rest at least when the nats-server that led them is killed.
pub const PULL_HEARTBEAT: Duration = Duration::from_secs(1);

/// How long one pull waits before it is asked anew.
pub const PULL_EXPIRES: Duration = Duration::from_secs(30);

/// How many events may be out at a client's own consumer without an acknowledgement.
pub const CLIENT_MAX_ACK_PENDING: i64 = 1000;

/// After how long a client's unacknowledged event is delivered again.
pub const CLIENT_ACK_WAIT: Duration = Duration::from_secs(30);

/// How long a result is kept.
pub const RESULTS_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many results are kept at most, the latest: nats-server remembers the subject of each in memory (some 300 bytes, measured with
/// 2.15), and each result has one of its own. Older ones are asked for with the query `Result`.
pub const RESULTS_MAX_MESSAGES: i64 = 200_000;

/// How long a message of a contractor's feed is kept.
pub const FEEDS_MAX_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long a dead letter is kept.
pub const DEADLETTERS_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How far back JetStream looks for a repeated `Nats-Msg-Id`: as short as it can be, because nothing here relies on it and
/// a repeat that JetStream swallows would never get its result again.
pub const DUPLICATE_WINDOW: Duration = Duration::from_millis(100);

/// How long a request to NATS itself, and the acknowledgement of a publish, may take.
pub const NATS_TIMEOUT: Duration = Duration::from_secs(5);

/// How many published events may wait for their acknowledgement at once.
pub const EVENTS_IN_FLIGHT: usize = 1024;

/// How many messages of one subscription wait in memory before the newest are dropped. A caller repeats, and who follows
/// events sees the gap by the position.
pub const SUBSCRIPTION_CAPACITY: usize = 512;

/// How often NATS is tried before who does not wait for it is told that it is not there.
pub const CONNECT_ATTEMPTS: usize = 3;

/// The first wait before NATS is tried again; it doubles with each attempt.
pub const RECONNECT_FIRST: Duration = Duration::from_millis(50);

/// The longest wait before NATS is tried again.
pub const RECONNECT_LONGEST: Duration = Duration::from_secs(2);

/// How long a client waits for the answer to a call or a query.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client waits for the result of a durable command before it asks with the query `Result`, and then sends the
/// command again with the same id.
pub const RESULT_WAIT: Duration = Duration::from_secs(10);

/// How long a client waits before it sends again what NATS or the services could not take.
pub const RESEND_PAUSE: Duration = Duration::from_millis(500);

/// How many subjects that NATS denied are remembered, so that each is logged once.
pub const DENIALS_REMEMBERED: usize = 256;
