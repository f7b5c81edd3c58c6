//! Each kind of report, whole.

use super::super::Action;
use super::*;

#[test]
fn failed() {
    let text = Case::new(LETTER).failed().text();
    assert_eq!(text, include_str!("failed.txt"));
}

#[test]
fn several_things_at_once() {
    let mut case = Case::new(LETTER)
        .told("carol@example.org", Action::Delivered, Reply::foreign(250, Some(EnhancedCode(2, 0, 0)), "ok"))
        .told("bob@example.net", Action::Delayed, Reply::foreign(451, None, "Later\nplease"))
        .told("dave@example.net", Action::Failed, no_such_user())
        .told("erin@example.net", Action::Relayed, Reply::foreign(250, None, "queued"))
        .told("list@example.com", Action::Expanded, Reply::foreign(250, None, "ok"))
        .told("frank@example.net", Action::Failed, Reply::foreign(552, Some(EnhancedCode(5, 2, 2)), "full"));
    case.abouts[4].remote = None;
    case.abouts[4].reply = None;
    case.envelope.recipients[2].original = Some(ForwardPath::parse("d@example.com").unwrap());
    case.envelope.envid = Some("Q+2B1".to_owned());
    assert_eq!(case.text(), include_str!("mixed.txt"));
}
