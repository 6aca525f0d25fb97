//! Three nats-servers that are one bus.

use std::net::{Ipv4Addr, TcpListener};

use caseledger::servers::NatsConfig;
use serde_json::Value;

use super::{TestNats, nats};
use crate::council::PATIENCE;
use crate::{eventually, page};

/// How many servers a cluster has: one may be away.
pub const SERVERS: usize = 3;

/// A cluster of nats-servers, each with a store of its own.
#[derive(Debug)]
pub struct NatsCluster {
    servers: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    server: TestNats,
    /// Where it tells of itself.
    address: String,
}

impl NatsCluster {
    /// Starts one with these accounts, and waits until its JetStream has a leader.
    ///
    /// # Panics
    /// If it does not come about.
    pub async fn start(config: &NatsConfig) -> NatsCluster {
        let routes: Vec<u16> = (0..SERVERS).map(|_| free_port()).collect();
        let mut servers = Vec::new();
        for (number, own) in routes.iter().enumerate() {
            let (name, monitor) = (format!("nats-{number}"), free_port());
            let others = routes.iter().filter(|port| *port != own);
            let others: Vec<String> = others.map(|port| format!("nats://127.0.0.1:{port}")).collect();
            let mut config = config.clone();
            // What is said last counts: the server's own settings come before the accounts.
            config.accounts_conf.push_str(&format!(
                "\nserver_name: {name}\nhttp: \"127.0.0.1:{monitor}\"\n\
                 cluster {{\n  name: test\n  listen: \"127.0.0.1:{own}\"\n  routes: [{}]\n}}\n",
                others.join(", ")
            ));
            servers.push(Member {
                name,
                server: nats(config).await,
                address: format!("127.0.0.1:{monitor}"),
            });
        }
        let cluster = NatsCluster { servers };
        cluster.whole().await;
        cluster
    }

    /// The URLs of all servers, separated by commas.
    pub fn url(&self) -> String {
        let urls: Vec<String> = self.servers.iter().map(|member| member.server.url()).collect();
        urls.join(",")
    }

    /// The server of this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn server(&self, name: &str) -> &TestNats {
        let named = self.servers.iter().find(|member| member.name == name);
        &named.unwrap_or_else(|| panic!("no server is called {name}")).server
    }

    /// The first server.
    pub fn first(&self) -> &TestNats {
        &self.servers[0].server
    }

    /// The server that leads JetStream itself; `None` where those who answer know of none, or name two.
    pub async fn leader(&self) -> Option<String> {
        let mut leader = None;
        for member in &self.servers {
            let Some((_, told)) = page(&member.address, "/jsz").await else {
                continue;
            };
            let told: Value = serde_json::from_str(&told).ok()?;
            let named = told["meta_cluster"]["leader"]
                .as_str()
                .filter(|name| !name.is_empty())?;
            if leader.get_or_insert_with(|| named.to_owned()) != named {
                return None;
            }
        }
        leader
    }

    /// Waits until every server is up, has what the others have, and agrees on who leads.
    ///
    /// # Panics
    /// If that does not come about.
    pub async fn whole(&self) {
        for member in &self.servers {
            let what = format!("{} is up and has caught up", member.name);
            eventually(&what, PATIENCE, || async {
                page(&member.address, "/healthz")
                    .await
                    .is_some_and(|(status, _)| status == 200)
            })
            .await;
        }
        eventually("JetStream has a leader", PATIENCE, || async {
            self.leader().await.is_some()
        })
        .await;
    }
}

/// A port on 127.0.0.1 that nothing listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("a listener has an address").port()
}
