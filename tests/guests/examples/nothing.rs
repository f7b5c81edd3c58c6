//! Does nothing at all: what the others are measured against, and what is damaged where damaged files are the subject.

use mailsluice_guests::{Said, Submitted, guest, well};

fn act(_: &mut Submitted<'_>) -> Said {
    well()
}

guest!(act);
