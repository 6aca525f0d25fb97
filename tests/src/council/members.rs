//! Who may do what in a test's council: its clients, and its services' logins.

use std::collections::BTreeMap;

use bus::accounts;
use bus::clients::Rights;
use caseledger::database;
use schemas::feed::FeedKey;
use uuid::Uuid;

use super::{Council, SERVICES};
use crate::TestDatabase;

/// A login of each service in this database.
pub(super) async fn logins(database: &TestDatabase) -> BTreeMap<&'static str, String> {
    let owner = database.owner().await;
    let logins = [
        database::COMMAND_SERVICE,
        database::RELAY,
        database::PROJECTIONS,
        database::NOTIFIER,
    ];
    let mut urls = BTreeMap::new();
    for (service, login) in SERVICES.into_iter().zip(logins) {
        let password = Uuid::new_v4().simple().to_string();
        urls.insert(
            service,
            database::service_url(&owner, &database.owner_url(), login, &password)
                .await
                .unwrap(),
        );
    }
    urls
}

/// The clients of a test: those of `dev`, and two that may do little.
pub(super) fn first_clients(feed_key: FeedKey) -> Vec<(&'static str, Rights)> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut all = caseledger::dev::first_clients(feed_key).to_vec();
    all.push((
        "highways-app",
        Rights {
            commands: owned(&["SubmitRequest", "CloseRequest", "AssignRequest"]),
            services: owned(&["highways"]),
            actors: owned(&["resident", "officer"]),
            teams: owned(&["highways-inspection"]),
            ..Rights::default()
        },
    ));
    all.push((
        "onlooker",
        Rights {
            reads: owned(&["waste"]),
            ..Rights::default()
        },
    ));
    all
}

impl Council {
    /// Takes the permissions of the clients' users away, so that nothing but their accounts keeps them from anything.
    ///
    /// # Panics
    /// If NATS does not take such accounts.
    pub async fn with_accounts_alone(&self) {
        let conf = accounts::render(&self.register, &self.service_passwords).expect("the accounts can be written");
        // A client's user is the only one of its account; those of the services stand in a list.
        let permissions = |line: &str| {
            line.trim_start()
                .starts_with("users: [ {")
                .then(|| line.find(", permissions:"))
        };
        let without = conf.lines().map(|line| match permissions(line).flatten() {
            Some(end) => format!("{} }} ]\n", &line[..end]),
            None => format!("{line}\n"),
        });
        let without: String = without.collect();
        assert_ne!(without, conf, "no client has permissions to take away");
        self.nats.reload(without).await;
    }
}
