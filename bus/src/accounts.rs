//! The accounts file of nats-server: the boundary between clients.
//!
//! The services live in one account, alone with JetStream; each client is an account of its own that imports its own subjects
//! and nothing else. A reply subject that a client chooses therefore never reaches the services' subjects, and inboxes are
//! private. Written from the client register; nats-server includes it, and reads it anew on a reload.

use std::fmt::Write;

use schemas::subjects::{
    ALL_CALLS, ALL_COMMANDS, ALL_EVENTS, ALL_QUERIES, ALL_REPLAYS, COMMANDS_STREAM, EVENTS_STREAM, FEEDS_STREAM,
};
use schemas::{ClientName, subjects};

use crate::clients::{Allowed, Client, ClientRegister};
use crate::error::BusError;
use crate::users::{ServicePasswords, ServiceUser};

/// The services' account.
pub const SERVICES_ACCOUNT: &str = "SERVICES";

/// Where a client waits for answers: the prefix that NATS clients take unless they are told otherwise.
pub const INBOXES: &str = "_INBOX.>";

/// The account of a client.
#[must_use]
pub fn client_account(client: &ClientName) -> String {
    format!("CLIENT-{client}")
}

/// Writes the accounts file for these clients, and the passwords of the services' users as hashes.
///
/// # Errors
/// [`BusError::Broken`] where a password can't be hashed.
pub fn render(clients: &ClientRegister, services: &ServicePasswords) -> Result<String, BusError> {
    let mut conf = String::from("# Written by caseledger from the client register: change that one.\naccounts {\n");
    let crossings: Vec<Crossing> = clients.iter().flat_map(crossings).collect();
    services_account(&mut conf, &crossings, services)?;
    for client in clients.iter() {
        client_conf(&mut conf, client, &crossings);
    }
    conf.push_str("}\n");
    Ok(conf)
}

/// One subject that crosses the boundary.
struct Crossing {
    client: ClientName,
    subject: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The client asks or sends; one answer at most.
    Service,
    /// The same, with many answers.
    Answers,
    /// The services publish, the client hears.
    Stream,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Service | Self::Answers => "service",
            Self::Stream => "stream",
        }
    }
}

/// What of the services' account a client sees.
fn crossings(client: &Client) -> Vec<Crossing> {
    let name = &client.name;
    let mut all = Vec::new();
    let mut cross = |kind, subject: String| {
        all.push(Crossing {
            client: name.clone(),
            subject,
            kind,
        })
    };
    for family in ["call", "command", "query"] {
        cross(Kind::Service, format!("caseledger.{family}.{name}.>"));
    }
    cross(Kind::Service, subjects::replay(name));
    cross(Kind::Stream, format!("caseledger.result.{name}.>"));
    match &client.reads {
        Allowed::All => cross(Kind::Stream, ALL_EVENTS.to_owned()),
        Allowed::Only(services) => services
            .iter()
            .for_each(|service| cross(Kind::Stream, subjects::events_of(service))),
    }
    let mut consumer = |stream: &str| {
        cross(Kind::Answers, format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"));
        cross(Kind::Service, format!("$JS.API.CONSUMER.INFO.{stream}.{name}"));
        cross(Kind::Service, format!("$JS.ACK.{stream}.{name}.>"));
    };
    consumer(EVENTS_STREAM);
    if client.has_feed() {
        consumer(FEEDS_STREAM);
        cross(Kind::Stream, subjects::feed(name, ">"));
    }
    all
}

fn services_account(conf: &mut String, crossings: &[Crossing], services: &ServicePasswords) -> Result<(), BusError> {
    let mut users = String::new();
    for (user, password) in services.iter() {
        let (publish, subscribe) = permissions(user);
        line(
            &mut users,
            &format!(
                "      {{ user: {user}, password: \"{}\", permissions: {{ publish: {}, subscribe: {} }} }}",
                password.bcrypt()?,
                allow(&publish),
                allow(&subscribe),
            ),
        );
    }
    line(
        conf,
        &format!("  {SERVICES_ACCOUNT} {{\n    jetstream: enabled\n    users: [\n{users}    ]\n    exports: ["),
    );
    // A subject is exported once, to all who import it: two entries for one would be the last one only.
    let mut subjects: Vec<(&str, Kind)> = crossings
        .iter()
        .map(|crossing| (crossing.subject.as_str(), crossing.kind))
        .collect();
    subjects.sort_by_key(|(subject, _)| *subject);
    subjects.dedup_by_key(|(subject, _)| *subject);
    for (subject, kind) in subjects {
        let accounts: Vec<String> = crossings
            .iter()
            .filter(|crossing| crossing.subject == subject)
            .map(|crossing| client_account(&crossing.client))
            .collect();
        let answers = if kind == Kind::Answers {
            ", response: stream"
        } else {
            ""
        };
        line(
            conf,
            &format!(
                "      {{ {}: \"{subject}\"{answers}, accounts: [{}] }}",
                kind.word(),
                accounts.join(", ")
            ),
        );
    }
    line(conf, "    ]\n  }");
    Ok(())
}

fn client_conf(conf: &mut String, client: &Client, crossings: &[Crossing]) {
    let account = client_account(&client.name);
    let own: Vec<&Crossing> = crossings
        .iter()
        .filter(|crossing| crossing.client == client.name)
        .collect();
    // The account keeps everything else from reaching anybody; this has NATS refuse it aloud, and log who tried what.
    let publish: Vec<String> = own
        .iter()
        .filter(|crossing| crossing.kind != Kind::Stream)
        .map(|crossing| crossing.subject.clone())
        .collect();
    let mut subscribe: Vec<String> = own
        .iter()
        .filter(|crossing| crossing.kind == Kind::Stream)
        .map(|crossing| crossing.subject.clone())
        .collect();
    // Answers; and all events, of which it hears those that cross the boundary for it.
    subscribe.extend([INBOXES, ALL_EVENTS].map(str::to_owned));
    line(
        conf,
        &format!(
            "  {account} {{\n    users: [ {{ user: \"{}\", password: \"{}\", permissions: {{ publish: {}, subscribe: {} }} }} ]\n    imports: [",
            client.name,
            client.password_hash(),
            allow(&publish),
            allow(&subscribe),
        ),
    );
    for crossing in own {
        let (kind, subject) = (crossing.kind.word(), &crossing.subject);
        line(
            conf,
            &format!("      {{ {kind}: {{ account: {SERVICES_ACCOUNT}, subject: \"{subject}\" }} }}"),
        );
    }
    line(conf, "    ]\n  }");
}

/// What a user of the services' account may publish and subscribe to: what its part needs, and nothing else.
fn permissions(user: ServiceUser) -> (Vec<String>, Vec<String>) {
    let owned = |subjects: &[&str]| subjects.iter().map(|subject| (*subject).to_owned()).collect::<Vec<_>>();
    let inbox = format!("{}.>", user.inbox());
    match user {
        // Replies cross the boundary as `_R_.…`, whatever the caller named.
        ServiceUser::Answerer => (owned(&["_R_.>"]), owned(&[ALL_CALLS, ALL_QUERIES, ALL_REPLAYS])),
        ServiceUser::Puller => {
            let of_commands = |call: &str, rest: &str| format!("$JS.API.CONSUMER.{call}.{COMMANDS_STREAM}{rest}");
            let mut publish = owned(&["caseledger.result.>", "caseledger.deadletter.>", "caseledger.feed.>"]);
            publish.extend([
                of_commands("NAMES", ""),
                of_commands("CREATE", ".>"),
                of_commands("DELETE", ".*"),
                of_commands("MSG.NEXT", ".*"),
                format!("$JS.ACK.{COMMANDS_STREAM}.>"),
                format!("$JS.API.STREAM.MSG.GET.{FEEDS_STREAM}"),
                // How many messages each stream holds, for readiness and metrics: of what is in them it says nothing.
                "$JS.API.STREAM.INFO.*".to_owned(),
                // Before it takes anything it compares the log with the events that others know.
                format!("$JS.API.STREAM.MSG.GET.{EVENTS_STREAM}"),
            ]);
            (publish, vec![inbox])
        }
        ServiceUser::Relay => {
            let of_events = |call: &str| format!("$JS.API.STREAM.{call}.{EVENTS_STREAM}");
            (
                vec![
                    ALL_EVENTS.to_owned(),
                    of_events("INFO"),
                    of_events("MSG.GET"),
                    of_events("PURGE"),
                ],
                vec![inbox],
            )
        }
        ServiceUser::Follower => (Vec::new(), vec![ALL_EVENTS.to_owned(), inbox]),
        // Commands too: what was parked is sent again in the name of the client that it came from.
        ServiceUser::Steward => (owned(&["$JS.API.>", ALL_COMMANDS]), vec![inbox]),
    }
}

/// A list of what is allowed; an empty one allows nothing.
fn allow(subjects: &[String]) -> String {
    if subjects.is_empty() {
        return "{ deny: [\">\"] }".to_owned();
    }
    let quoted: Vec<String> = subjects.iter().map(|subject| format!("\"{subject}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

fn line(conf: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(conf, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::Password;

    fn conf() -> String {
        let hash = Password::new("hush").bcrypt().unwrap();
        let entry = |name: &str, reads: &str, actor: &str| {
            format!(
                "[{name}]\npassword = \"{hash}\"\ncommands = [\"*\"]\nservices = [\"*\"]\nreads = [{reads}]\nactors = [\"{actor}\"]\n"
            )
        };
        let text = entry("website", "\"waste\"", "resident")
            + &entry("crew", "\"waste\", \"highways\"", "contractor")
            + "feed_key = \"CbTCLSHmsAPXLbcEeD0FjCP6C9ZKBQ0jDEwUXCRg9H8=\"\n";
        let services = ServiceUser::ALL
            .into_iter()
            .map(|user| (user, Password::new(user.as_str())))
            .collect();
        render(&ClientRegister::parse(&text).unwrap(), &services).unwrap()
    }

    #[test]
    fn each_client_imports_its_own_subjects_only() {
        let conf = conf();
        let website = conf.split("CLIENT-website {").nth(1).unwrap();
        assert!(
            website.contains("caseledger.call.website.>") && website.contains("caseledger.event.waste.>"),
            "{conf}"
        );
        for foreign in ["crew", "highways", "caseledger.feed", "registrars", "STREAM.PURGE"] {
            assert!(!website.contains(foreign), "{foreign}: {conf}");
        }
        assert!(conf.contains("caseledger.feed.crew.>"));
        let heard = website.split("subscribe: [").nth(1).unwrap().split(']').next().unwrap();
        assert_eq!(
            heard,
            "\"caseledger.result.website.>\", \"caseledger.event.waste.>\", \"_INBOX.>\", \"caseledger.event.>\""
        );
    }

    #[test]
    fn a_subject_of_two_clients_is_exported_once() {
        let conf = conf();
        let exports: Vec<&str> = conf
            .lines()
            .filter(|line| line.contains("stream: \"caseledger.event.waste.>\""))
            .collect();
        assert_eq!(exports.len(), 1);
        assert!(
            exports[0].contains("CLIENT-crew") && exports[0].contains("CLIENT-website"),
            "{exports:?}"
        );
    }

    #[test]
    fn no_password_is_in_clear() {
        let conf = conf();
        assert!(!conf.contains("hush"));
        assert_eq!(conf.matches("password: \"$2b$").count(), ServiceUser::ALL.len() + 2);
    }
}
