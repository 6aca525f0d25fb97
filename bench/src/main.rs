//! Caseledger beside what a team would otherwise pick, measured in one run on one machine.

#![allow(clippy::print_stdout)]

mod cpu;
mod load;
mod ours;
mod peers;
mod work;

use std::time::{Duration, Instant};

use load::{Load, Measured};
use system_tests::TestPostgres;

#[tokio::main]
async fn main() -> Result<(), String> {
    let postgres = TestPostgres::durable().await;
    let load = Load {
        clients: 64,
        cases: work::CASES,
        warm_up: Duration::from_secs(1),
        time: Duration::from_secs(5),
    };
    let show = |name: &str, m: &Measured| {
        println!(
            "{name}: {:.0}/s p50 {:.2} p99 {:.2} p999 {:.2} conflicts {} cpu {:?}",
            m.rate(),
            m.p50,
            m.p99,
            m.p999,
            m.conflicts,
            m.cpu
        )
    };
    let stock = peers::stock::Stock::set_up(postgres.database_bare().await, 10)
        .await
        .map_err(|e| e.to_string())?;
    show("stock", &load::run(load, &stock.command()).await?);
    stock.close().await;
    let t = Instant::now();
    let mut ours = ours::Ours::set_up(&postgres).await?;
    println!("seeded in {:?}", t.elapsed());
    show("sealed", &load::run(load, &ours.command()).await?);
    let t = Instant::now();
    ours.follow(&["relay", "projections"]).await?;
    println!("caught up in {:?}", t.elapsed());
    let c = cpu::Cpu::now();
    let t = Instant::now();
    let m = load::run(load, &ours.command()).await?;
    show("running", &m);
    ours.caught_up().await?;
    let s = t.elapsed().as_secs_f64();
    let total = (m.commands as f64) / m.seconds * 6.0;
    println!(
        "caught up after {s:.2}: {:.0}/s {:?}",
        total / s,
        cpu::Cpu::now().since(&c)
    );
    Ok(())
}
