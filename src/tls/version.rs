//! The versions that are spoken.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

/// TLS 1.2 and what came after it.
pub(super) const SINCE_12: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
/// TLS 1.3 and what came after it.
pub(super) const SINCE_13: &[&SupportedProtocolVersion] = &[&TLS13];
