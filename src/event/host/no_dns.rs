//! The resolver of a binary that was built without the feature `dns`: enough for a smart host and routes to named hosts.
//!
//! Addresses come from the system's functions (getaddrinfo). These don't say whether a name does not exist or nobody has
//! answered, so that every failure is temporary here. There are no MX records.

use super::dns::DnsFault;
use super::name;
use super::resolver::{Mx, Resolver, Signed, Tlsa};
use async_trait::async_trait;
use std::net::{IpAddr, SocketAddr};

const NO_MX: &str = "this mailsluice was built without the feature `dns` and can't look up MX records; set \
    `delivery.smart-host` or a [[route]] to a host, or use a binary that was built with it";

/// Asks the system for addresses, and nobody for MX records.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDns;

#[async_trait]
impl Resolver for NoDns {
    async fn mx(&self, _domain: &str) -> Result<Signed<Vec<Mx>>, DnsFault> {
        Err(DnsFault::Temporary(NO_MX.into()))
    }

    async fn addresses(&self, host: &str) -> Result<Signed<Vec<IpAddr>>, DnsFault> {
        let host = name::host(host).map_err(|why| DnsFault::Invalid(why.into()))?;
        // The dot keeps the system's search list out of it.
        let found = tokio::net::lookup_host((format!("{host}."), 0)).await;
        let found: Vec<IpAddr> = found.map_err(|error| unknown(&error))?.map(|at: SocketAddr| at.ip()).collect();
        if found.is_empty() {
            return Err(DnsFault::Temporary("the system gave no address".into()));
        }
        Ok(Signed::insecure(found))
    }

    async fn tlsa(&self, _name: &str) -> Result<Signed<Vec<Tlsa>>, DnsFault> {
        Err(DnsFault::NotFound)
    }

    async fn texts(&self, _name: &str) -> Result<Vec<String>, DnsFault> {
        Err(DnsFault::NotFound)
    }

    async fn validates(&self) -> bool {
        false
    }
}

fn unknown(error: &std::io::Error) -> DnsFault {
    DnsFault::Temporary(error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_lack_of_mx_records_is_never_final() {
        let Err(DnsFault::Temporary(why)) = NoDns.mx("example.com").await else { panic!("that must be temporary") };
        assert!(why.contains("feature `dns`") && why.contains("smart-host"), "{why}");
    }

    #[tokio::test]
    async fn what_is_no_name_is_not_asked() {
        for host in ["a b", "192.0.2.1", ""] {
            assert!(matches!(NoDns.addresses(host).await, Err(DnsFault::Invalid(_))), "{host:?}");
        }
    }
}
