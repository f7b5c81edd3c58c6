//! What a sender can do about a failure, in plain words, by its status (RFC 3463).

use crate::mail::EnhancedCode;

/// A paragraph, its lines parted by LF.
pub(super) fn advice(status: EnhancedCode) -> &'static str {
    let EnhancedCode(_, subject, detail) = status;
    match (subject, detail) {
        (1, 0 | 1 | 3 | 6) => {
            "There seems to be no such address. Look for a slip in it, or ask the\n\
             recipient for the right one in another way."
        }
        (1, 2 | 10) | (4, 4) => {
            "No mail can be sent to what stands behind the `@` of the address. Look for\n\
             a slip in it, or ask the recipient for the right one in another way."
        }
        (1, 7 | 8) => "The other server did not accept the address that you sent from.",
        (2, 1) => "The mailbox takes no mail. Ask the recipient in another way.",
        (2, 2) => {
            "The mailbox is full. Try again in some days, or tell the recipient of it in\n\
             another way."
        }
        (2 | 3, 3 | 4) => {
            "The message is too large for the other server. Send it without its\n\
             attachments, or hand those over in another way."
        }
        (3, 1) => "The other server has no room for mail at present. Try again later.",
        (4, 6) => {
            "The message went round in circles: a forwarding or a server is not set up\n\
             right. Tell the recipient in another way."
        }
        (4, _) => {
            "The recipient's mail server could not be reached, or did not take the\n\
             message in time. Try again later, and look for a slip behind the `@`."
        }
        (6, 7 | 9) => {
            "The other server can't handle addresses or headers with characters that\n\
             are not plain ASCII. Use another address, if there is one."
        }
        (7, _) => {
            "The message is refused by rules that the answer above may name. The people\n\
             who run that server can help, and you can reach the recipient in another\n\
             way."
        }
        _ => {
            "The answer above may say why. If you can't make sense of it, show it to\n\
             those who look after your mail."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_advice_that_fits_a_line() {
        for (status, begins) in [
            ("5.1.1", "There seems to be no such address."),
            ("5.1.2", "No mail can be sent to what stands behind the `@`"),
            ("5.2.2", "The mailbox is full."),
            ("5.2.3", "The message is too large"),
            ("5.3.4", "The message is too large"),
            ("5.4.4", "No mail can be sent"),
            ("5.4.7", "The recipient's mail server could not be reached"),
            ("5.7.26", "The message is refused by rules"),
            ("5.0.0", "The answer above may say why."),
            ("5.999.999", "The answer above may say why."),
        ] {
            let advice = advice(status.parse().unwrap());
            assert!(advice.starts_with(begins), "{status}: {advice}");
            assert!(advice.lines().all(|line| line.len() <= 76 && line.trim() == line), "{advice}");
        }
    }
}
