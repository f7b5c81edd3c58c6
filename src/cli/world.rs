//! What stands behind the traits by which sinks reach the world.

use crate::event::Natives;
use crate::event::host::{Clock, Kv, Resolver};
#[cfg(feature = "wasm")]
use crate::manifest::build::Sandboxes;
use crate::manifest::build::Workshop;
use crate::server::Logins;
use crate::transport::security::Advisor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The workshop of this program, with everything that it was built with.
pub(super) fn workshop(natives: Natives, kv: Arc<dyn Kv>, clock: Arc<dyn Clock>) -> Workshop {
    let mut workshop = Workshop::new(natives, kv, clock);
    #[cfg(feature = "dns")]
    {
        workshop.dns = Some(system_dns());
    }
    #[cfg(feature = "http")]
    {
        workshop.http = Some(Arc::new(crate::http::HttpClient::new()));
    }
    workshop.credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    workshop
}

/// What says how secure the way to a host has to be. Without the feature `http` nobody can fetch policies of MTA-STS.
#[cfg_attr(not(feature = "http"), expect(unused_variables, reason = "there is nothing to keep"))]
pub(super) fn advisor(kv: Arc<dyn Kv>, clock: Arc<dyn Clock>) -> Advisor {
    #[cfg(feature = "http")]
    return Advisor::with_sts(Arc::new(crate::http::HttpClient::new()), kv, clock);
    #[cfg(not(feature = "http"))]
    Advisor::default()
}

/// Who is asked when somebody logs in.
pub(super) fn logins() -> Logins {
    Logins {
        #[cfg(feature = "http")]
        http: Some(Arc::new(crate::http::HttpClient::new())),
        #[cfg(feature = "gssapi")]
        kerberos: Some(Arc::new(crate::accounts::kerberos::library::Library)),
        ..Logins::default()
    }
}

/// By what routes find hosts.
pub(super) fn resolver() -> Arc<dyn Resolver> {
    #[cfg(feature = "dns")]
    return system_dns();
    #[cfg(not(feature = "dns"))]
    Arc::new(crate::event::host::NoDns)
}

/// The one resolver of this process, so that sinks and routes share its answers.
#[cfg(feature = "dns")]
fn system_dns() -> Arc<crate::dns::SystemDns> {
    static DNS: std::sync::OnceLock<Arc<crate::dns::SystemDns>> = std::sync::OnceLock::new();
    DNS.get_or_init(Arc::default).clone()
}

/// Has sinks compiled in a process of its own, and what is compiled kept for the next start.
#[cfg_attr(not(feature = "wasm"), expect(unused_variables, reason = "there is nothing to compile"))]
pub(super) fn keep_compiled(workshop: &mut Workshop, data_dir: &Path) {
    #[cfg(feature = "wasm")]
    {
        workshop.sandbox = Arc::new(Sandboxes::cached(data_dir.join("compiled")));
    }
}
