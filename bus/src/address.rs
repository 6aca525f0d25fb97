//! Where NATS is, and whom to take for it.

use std::path::{Path, PathBuf};

use crate::error::BusError;

/// Where NATS is: `nats://host:4222`, or `tls://host:4222` for a connection that is encrypted from the first command on; the servers
/// of a cluster separated by commas. No user stands in it.
///
/// With TLS the certificate must be valid for the host of the URL, and come from an authority that this machine trusts or that
/// stands in the CA file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsAddress {
    url: String,
    ca_file: Option<PathBuf>,
}

impl NatsAddress {
    /// NATS at this URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
        }
    }

    /// Takes certificates of the authorities in this file (PEM) too; naming one insists on TLS, whatever the URL begins with.
    #[must_use]
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file of further authorities.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The servers, as the wire's library wants them.
    pub(crate) fn servers(&self) -> Result<Vec<async_nats::ServerAddr>, BusError> {
        let parse = |url: &str| url.trim().parse();
        let servers: Result<Vec<_>, _> = self.url.split(',').map(parse).collect();
        servers.map_err(|_| BusError::broken("connect to NATS", "the URL of NATS is not one"))
    }

    /// Sees that the CA file can be read. One that can't would look like a NATS that is not there, for ever.
    pub(crate) fn check(&self) -> Result<(), BusError> {
        const DOING: &str = "read the CA file of NATS";
        let Some(file) = &self.ca_file else { return Ok(()) };
        let text =
            std::fs::read(file).map_err(|error| BusError::broken(DOING, format!("{}: {error}", file.display())))?;
        if !String::from_utf8_lossy(&text).contains("-----BEGIN CERTIFICATE-----") {
            return Err(BusError::broken(
                DOING,
                format!("{} holds no certificate in PEM form", file.display()),
            ));
        }
        Ok(())
    }
}

impl From<&str> for NatsAddress {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<&String> for NatsAddress {
    fn from(url: &String) -> Self {
        Self::new(url)
    }
}

impl From<&Self> for NatsAddress {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_several_servers() {
        let address = NatsAddress::new("tls://a.example:4222, tls://b.example:4222");
        let servers = address.servers().unwrap();
        let hosts: Vec<&str> = servers.iter().map(async_nats::ServerAddr::host).collect();
        assert_eq!(hosts, ["a.example", "b.example"]);
        assert!(servers.iter().all(async_nats::ServerAddr::tls_required));
        assert!(NatsAddress::new("not a url").servers().is_err());
    }

    #[test]
    fn a_ca_file_that_is_none_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let address = NatsAddress::new("tls://a.example").trusting(Some(file.clone()));
        assert!(matches!(address.check(), Err(BusError::Broken { .. })));
        std::fs::write(&file, "nothing").unwrap();
        assert!(matches!(address.check(), Err(BusError::Broken { .. })));
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n").unwrap();
        assert!(address.check().is_ok());
    }
}
