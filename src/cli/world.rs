//! What stands behind the traits by which sinks reach the world.

use crate::event::Natives;
use crate::event::host::{Clock, Kv};
use crate::manifest::build::Workshop;
use std::path::PathBuf;
use std::sync::Arc;

/// The workshop of this program, with everything that it was built with.
pub(super) fn workshop(natives: Natives, kv: Arc<dyn Kv>, clock: Arc<dyn Clock>) -> Workshop {
    let mut workshop = Workshop::new(natives, kv, clock);
    #[cfg(feature = "dns")]
    {
        workshop.dns = Some(Arc::new(crate::dns::SystemDns::new()));
    }
    #[cfg(feature = "http")]
    {
        workshop.http = Some(Arc::new(crate::http::HttpClient::new()));
    }
    workshop.credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    workshop
}
