//! Who is owed a report (RFC 3461 4.1 and 6.2).

use super::about::Action;
use crate::mail::{Recipient, ReversePath};

/// Whether the sender is owed a report of that kind about this recipient. Without NOTIFY a failure and a delay are told, and a
/// success is not. What has a null reverse-path is a report itself, or wants none: nobody is ever told.
pub fn is_owed(action: Action, sender: &ReversePath, recipient: &Recipient) -> bool {
    if *sender == ReversePath::Null {
        return false;
    }
    let Some(notify) = recipient.notify else {
        return matches!(action, Action::Failed | Action::Delayed);
    };
    match action {
        Action::Failed => notify.failure,
        Action::Delayed => notify.delay,
        Action::Delivered | Action::Relayed | Action::Expanded => notify.success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{ForwardPath, Notify, Standing};

    #[test]
    fn by_what_notify_asks_for() {
        let notify = |success, failure, delay| Some(Notify { success, failure, delay });
        for (name, notify, owed) in [
            ("not given", None, "failed delayed"),
            ("NEVER", notify(false, false, false), ""),
            ("SUCCESS", notify(true, false, false), "delivered relayed expanded"),
            ("FAILURE", notify(false, true, false), "failed"),
            ("DELAY", notify(false, false, true), "delayed"),
            ("SUCCESS,FAILURE,DELAY", notify(true, true, true), "failed delayed delivered relayed expanded"),
        ] {
            let mut recipient = Recipient::new(ForwardPath::parse("bob@example.com").unwrap(), Standing::Relay);
            recipient.notify = notify;
            let to = |sender: &str| {
                let sender = ReversePath::parse(sender).unwrap();
                let told = Action::ALL.into_iter().filter(|a| is_owed(*a, &sender, &recipient));
                told.map(Action::as_str).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(to("<alice@example.net>"), owed, "{name}");
            assert_eq!(to("<>"), "", "{name}");
        }
    }
}
