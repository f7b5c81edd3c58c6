//! The one source of cryptography.

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use std::sync::{Arc, LazyLock};

/// The provider for every TLS configuration, of servers and clients. The key exchange that withstands quantum computers comes
/// first: mail that is recorded today is worth reading in ten years.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
        let kx_groups = vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1];
        Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
    });
    PROVIDER.clone()
}
