//! Fault 8: the id of a command that was recorded, with other content.

use system_tests::council::{accepted, obstruction, rejected};
use system_tests::{Council, Running, Witness};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_call_durably_and_after_a_restart() {
    let council = Council::new().await;
    let service = council.serve("command-service");
    council.answering().await;
    let (witness, website) = (Witness::default(), council.client("website").await);
    let asked = council.command_of("SubmitRequest", None, obstruction("Deep"));
    let first = accepted(witness.call(&website, &asked).await);

    let mut other = asked.clone();
    other.data = obstruction("Wide").to_string();
    // The witness does not hear these: they are answers to something else under the same id.
    for result in [website.call(&other).await.unwrap(), website.send(&other).await.unwrap()] {
        assert_eq!(rejected(result).code(), "id_reused");
    }
    drop(service);
    let _another = council.serve("command-service");
    assert_eq!(
        rejected(website.call_until_known(&other).await.unwrap()).code(),
        "id_reused"
    );
    // The id belongs to its client: another's is another command.
    let centre = council.client("contact-centre").await;
    assert_ne!(
        accepted(centre.call(&other).await.unwrap()).aggregate_id,
        first.aggregate_id
    );

    assert_eq!(
        accepted(witness.call(&website, &asked).await),
        first,
        "the first result is untouched"
    );
    witness.assert_kept(&council, Running::CommandService).await;
}
