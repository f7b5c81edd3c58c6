//! EXTERNAL (RFC 4422 appendix A): the layer below knows who the client is; the message says whom it wants to be taken for.

use super::Claim;
use super::prep;
use super::server::{Failure, Server, Step, text};

pub(super) struct External;

impl Server for External {
    fn respond(&mut self, response: &[u8]) -> Step {
        match text(response) {
            Err(failure) => Step::Failed(failure),
            Ok("") => Step::Check(Claim::External { authzid: None }),
            Ok(name) => match prep::name(name) {
                Some(name) => Step::Check(Claim::External { authzid: Some(name) }),
                None => Step::Failed(Failure::Refused("the name has characters that it may not have")),
            },
        }
    }
}
