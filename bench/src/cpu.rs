//! CPU time and memory, by part: this process, PostgreSQL, nats-server, and each service that runs as a process of its own.
//!
//! Read from `/proc`: `proc(5)`, fields 14 to 17 of `stat`. What a child used that has ended counts for its parent.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

/// `/proc` counts in hundredths of a second on every Linux that we run on (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// CPU seconds used since a process began, by part.
#[derive(Clone, Debug, Default)]
pub struct Cpu(BTreeMap<String, f64>);

/// CPU seconds used between two looks, by part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CpuUse(pub BTreeMap<String, f64>);

impl Cpu {
    /// What this process and its descendants have used so far. Empty where there is no `/proc`.
    #[must_use]
    pub fn now() -> Self {
        let mut used = BTreeMap::new();
        for (_, process) in ours() {
            *used.entry(process.part).or_default() += process.seconds;
        }
        Self(used)
    }

    /// What was used since an earlier look.
    #[must_use]
    pub fn since(&self, before: &Self) -> CpuUse {
        let used = self
            .0
            .iter()
            .map(|(part, now)| (part.clone(), (now - before.0.get(part).unwrap_or(&0.0)).max(0.0)));
        CpuUse(used.filter(|(_, seconds)| *seconds > 0.0).collect())
    }
}

/// What the descendants of this process hold, in MiB by part: what is resident, without the pages of files, which are the page
/// cache's (a program's own text among them: it comes and goes by megabytes as the kernel likes). PostgreSQL is one part: the memory
/// of each of its processes, and its shared buffers once. `proc(5)`, `RssAnon` and `RssShmem` of `status`.
#[must_use]
pub fn memory() -> BTreeMap<String, f64> {
    let (mut held, mut shared) = (BTreeMap::<String, f64>::new(), 0.0_f64);
    for (id, process) in ours().into_iter().filter(|(_, process)| process.part != CLIENT) {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let mebibytes = |name: &str| -> f64 {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
            kibibytes.unwrap_or_default() / 1024.0
        };
        let is_postgres = process.part.starts_with(POSTGRES);
        if is_postgres {
            shared = shared.max(mebibytes("RssShmem"));
        }
        if process.part != WATCHING {
            let part = if is_postgres { POSTGRES.to_owned() } else { process.part };
            *held.entry(part).or_default() += mebibytes("RssAnon");
        }
    }
    held.entry(POSTGRES.to_owned()).and_modify(|held| *held += shared);
    held
}

/// What this process itself is called.
const CLIENT: &str = "client";

/// The shells that end the servers with us.
const WATCHING: &str = "sh";

/// With what every part of PostgreSQL begins.
const POSTGRES: &str = "postgres";

/// This process and its descendants, by their ids.
fn ours() -> Vec<(u32, Process)> {
    let processes = processes();
    let own = std::process::id();
    let is_ours = |mut id: u32| {
        while let Some(process) = processes.get(&id) {
            if id == own {
                return true;
            }
            id = process.parent;
        }
        false
    };
    let ours: Vec<u32> = processes.keys().copied().filter(|id| is_ours(*id)).collect();
    let mut processes = processes;
    let taken = ours.into_iter().filter_map(|id| Some((id, processes.remove(&id)?)));
    let named = taken.map(|(id, process)| match id == own {
        true => (
            id,
            Process {
                part: CLIENT.to_owned(),
                ..process
            },
        ),
        false => (id, process),
    });
    named.collect()
}

struct Process {
    parent: u32,
    part: String,
    seconds: f64,
}

fn processes() -> HashMap<u32, Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return HashMap::new();
    };
    let ids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id| Some((id, read(id)?))).collect()
}

fn read(id: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let (head, fields) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    // A server's process sums up its children when they end; those of ours that only started it did no work of their own.
    let ticks: f64 = [11, 12, 13, 14].into_iter().filter_map(ticks).sum();
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        part: part(id, name),
        seconds: ticks / TICKS_A_SECOND,
    })
}

/// The name of a service where it is one of ours; for whom a process of PostgreSQL works; else the program's.
fn part(id: u32, name: &str) -> String {
    let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    // PostgreSQL writes there what a process is: `postgres: <login> <database> …`, or `postgres: checkpointer`.
    if let Some(title) = String::from_utf8_lossy(&arguments).strip_prefix("postgres: ") {
        let word = title.split([' ', '\0']).next().unwrap_or_default();
        return match word.split_once("_svc_") {
            Some((_, service)) => format!("postgres for {service}"),
            None if word.contains("owner") || word.contains("test") => "postgres".to_owned(),
            None => "postgres itself".to_owned(),
        };
    }
    let mut arguments = arguments.split(|byte| *byte == 0).skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(b"serve"), Some(service)) => String::from_utf8_lossy(service).into_owned(),
        _ => name.to_owned(),
    }
}
