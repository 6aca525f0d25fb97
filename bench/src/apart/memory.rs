//! What a command-service holds: its resident memory while it touches more and more cases. Its caches are bounded, so the
//! memory must level off.

use std::sync::Arc;

use bus::BusClient;
use futures::{StreamExt as _, TryStreamExt as _};
use system_tests::TestPostgres;
use uuid::Uuid;

use crate::contenders::Ours;
use crate::contenders::ours::{CLIENT, accepted, outgoing, submission_data};
use crate::figures::Figure;

/// How many commands are on their way at once.
const AT_ONCE: usize = 512;

/// How often the memory is looked at.
const LOOKS: usize = 10;

/// Measures the resident memory after each tenth of so many new cases.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(postgres: &Arc<TestPostgres>, cases: usize) -> Result<Vec<Figure>, String> {
    let ours = Ours::set_up(postgres, 0).await?;
    // How fast it goes is not the question.
    ours.sparing_the_disk().await?;
    let service = ours.serve_command_service().await?;
    let client = ours.council.client(CLIENT).await;
    let look = |touched: usize| {
        let resident = resident(service.id())?;
        Ok::<_, String>(Figure::new(
            "memory",
            format!("after {touched} cases"),
            "MiB resident",
            vec![resident],
        ))
    };
    let mut figures = vec![look(0)?];
    let mut touched = 0;
    for tenth in 1..=LOOKS {
        let until = cases * tenth / LOOKS;
        let submissions = (touched..until).map(|case| submit(&client, case));
        futures::stream::iter(submissions)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        touched = until;
        figures.push(look(touched)?);
    }
    drop(service);
    ours.let_go().await;
    Ok(figures)
}

async fn submit(client: &BusClient, case: usize) -> Result<(), String> {
    // In the order of time, as `caseledger send` gives them.
    let command = outgoing("SubmitRequest", Uuid::now_v7(), None, &submission_data(case));
    let result = client.call_until_known(&command).await;
    accepted(result.map_err(|error| error.to_string())?).map(drop)
}

/// A process's resident memory in MiB: `proc(5)`, `VmRSS` of `status`, in kB.
fn resident(id: u32) -> Result<f64, String> {
    let file = format!("/proc/{id}/status");
    let status = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|resident| resident.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes
        .map(|kilobytes| kilobytes / 1024.0)
        .ok_or_else(|| format!("{file} says nothing of VmRSS"))
}
