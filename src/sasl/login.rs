//! LOGIN: two questions and their answers. It was never standardised; what clients look for are these two prompts.

use super::plain;
use super::server::{Failure, Server, Step, text};

const USER: &[u8] = b"Username:";
const PASSWORD: &[u8] = b"Password:";

/// The name, once it is known.
#[derive(Default)]
pub(super) struct Login(Option<String>);

impl Server for Login {
    fn open(&mut self) -> Step {
        Step::Challenge(USER.to_vec())
    }

    /// The name comes first, also as an initial response.
    fn respond(&mut self, response: &[u8]) -> Step {
        let text = match text(response) {
            Ok(text) => text,
            Err(failure) => return Step::Failed(failure),
        };
        match self.0.take() {
            None if text.len() > super::NAME_MAX => Step::Failed(Failure::Refused("the name is too long")),
            None => {
                self.0 = Some(text.to_owned());
                Step::Challenge(PASSWORD.to_vec())
            }
            Some(user) => plain::claim("", &user, text).map_or_else(Step::Failed, Step::Check),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::{Claim, Hidden};

    #[test]
    fn two_questions_or_one() {
        let claim = Claim::Password { authzid: None, user: "tim".into(), password: Hidden::new("x y") };
        let mut login = Login::default();
        assert_eq!(login.open(), Step::Challenge(USER.to_vec()));
        for _ in 0..2 {
            assert_eq!(login.respond(b"tim"), Step::Challenge(PASSWORD.to_vec()));
            assert_eq!(login.respond(b"x y"), Step::Check(claim.clone()));
        }
        assert_eq!(login.respond(b""), Step::Challenge(PASSWORD.to_vec()));
        assert!(matches!(login.respond(b"x"), Step::Failed(Failure::Refused(_))));
    }
}
