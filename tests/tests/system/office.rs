//! A council with its clients at work, as the tests of what people do with cases and records need it.

use schemas::result::Accepted;
use schemas::{AggregateId, Position};
use serde_json::{Value, json};
use system_tests::Council;
use system_tests::council::{PATIENCE, example, rejected};
use system_tests::eventually;

/// The council, the clients that the public and the officers use, and a login that may read the log.
pub struct Office {
    pub council: Council,
    pub website: bus::BusClient,
    pub contact_centre: bus::BusClient,
    pub owner: sqlx::PgPool,
}

impl Office {
    pub async fn open() -> Self {
        let council = Council::new().await;
        Self {
            website: council.client("website").await,
            contact_centre: council.client("contact-centre").await,
            owner: council.owner().await,
            council,
        }
    }

    /// The website registers the customer of the example, with this put in.
    pub async fn registers(&self, put_in: Value) -> AggregateId {
        let register = example("RegisterCustomer", put_in);
        self.council
            .accept(&self.website, "RegisterCustomer", None, register)
            .await
            .aggregate_id
    }

    /// The website submits a request: the case.
    pub async fn opens(&self, data: Value) -> AggregateId {
        let mut data = data;
        (data["actor"], data["channel"]) = (json!({ "kind": "resident" }), json!("online"));
        let accepted = self.council.accept(&self.website, "SubmitRequest", None, data).await;
        accepted.aggregate_id
    }

    /// An officer sends the example of a command to a stream, with this put in.
    pub async fn does(&self, stream: AggregateId, name: &str, put_in: Value) -> Accepted {
        self.council
            .accept(&self.contact_centre, name, Some(stream), example(name, put_in))
            .await
    }

    /// The events of a stream: name and payload.
    pub async fn log(&self, stream: AggregateId) -> Vec<(String, Value)> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT event_type, payload::text FROM ledger.events WHERE aggregate_id = $1::text ORDER BY sequence",
        )
        .bind(stream.to_string())
        .fetch_all(&self.owner)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(name, payload)| (name, serde_json::from_str(&payload).unwrap()))
            .collect()
    }

    /// The first event of this name that a stream has, sooner or later.
    pub async fn waits_for(&self, stream: AggregateId, name: &str) -> Value {
        eventually(&format!("the log has a {name}"), PATIENCE, || async {
            let log = self.log(stream).await;
            log.into_iter()
                .find(|(event, _)| event == name)
                .map(|(_, payload)| payload)
        })
        .await
    }

    /// The email that tells of the event at a position, with its lines joined as a reader of it would.
    pub async fn email(&self, about: Position, notice: &str) -> String {
        let prefix = format!("{about}-{notice}-");
        let email = eventually("the person is told", PATIENCE, || async {
            let files = std::fs::read_dir(self.council.mail_dir()).unwrap();
            let mut paths = files.map(|file| file.unwrap().path());
            let path = paths.find(|path| {
                let name = path.file_name();
                name.is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
            });
            path.map(|path| std::fs::read_to_string(path).unwrap())
        });
        email.await.replace("=\r\n", "")
    }

    /// The code that a command is refused with.
    pub async fn refuses(&self, stream: Option<AggregateId>, name: &str, data: Value) -> String {
        rejected(self.council.call(&self.contact_centre, name, stream, data).await)
            .code()
            .to_owned()
    }
}
