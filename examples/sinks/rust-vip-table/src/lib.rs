//! Rewrites recipients by a table.
//!
//! A line of the table is an address or a glob, and where its mail goes: one address or more, parted by commas. `@new.example` keeps
//! the local part. A line with no address says that whoever it was has left.

use mailsluice_sink::{Fault, Heard, On, Ruling, Standing, hears, info, on, tables};

#[derive(Default)]
struct VipTable;

/// `@domain` stands for the same local part there.
fn resolve(target: &str, path: &str) -> String {
    let local = path.split_once('@').map_or(path, |(local, _)| local);
    if target.starts_with('@') { format!("{local}{target}") } else { target.to_owned() }
}

impl On<on::InRcpt> for VipTable {
    fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        let recipient = heard.recipient();
        let path = recipient.path();
        let Some(line) = tables::lookup("moved", &path)? else { return Ok(Ruling::next()) };

        let mut targets = line.split(',').map(str::trim).filter(|target| !target.is_empty());
        let Some(first) = targets.next() else {
            return Ok(Ruling::reject(5, 1, 6, "Has left, without a forwarding address"));
        };
        heard.rewrite(&resolve(first, &path))?;
        for target in targets {
            heard.add_recipient(&resolve(target, &path))?;
        }
        // The old address need not exist: the table answers for it.
        if recipient.standing() == Standing::Unknown {
            heard.vouch();
        }
        info!("{path} goes to {line}");
        Ok(Ruling::next())
    }
}

hears!(VipTable { InRcpt });

#[cfg(test)]
mod tests {
    use super::*;
    use mailsluice_sink::test::{Raised, World};

    fn raise(recipient: &str, standing: Standing) -> Raised {
        let moved = [
            ("bob@example.com", "robert@example.com"),
            ("team@example.com", "alice@example.com, @example.org"),
            ("*@old.example", "@example.com"),
            ("gone@example.com", ""),
        ];
        let world = World::new().table("moved", moved).recipient_with(recipient, standing, true);
        world.raise::<on::InRcpt>(&VipTable).unwrap()
    }

    #[test]
    fn who_has_moved_is_followed() {
        let raised = raise("bob@example.com", Standing::Local);
        assert_eq!((raised.verdict(), raised.edits()), ("next", vec!["rewrite to robert@example.com".to_owned()]));
        assert_eq!(raise("anna@old.example", Standing::Unknown).edits(), ["rewrite to anna@example.com", "vouch"]);
        let team = raise("team@example.com", Standing::Local).edits();
        assert_eq!(team, ["rewrite to alice@example.com", "add recipient team@example.org"]);
    }

    #[test]
    fn who_has_left_is_refused_and_who_is_not_listed_left_alone() {
        let gone = raise("gone@example.com", Standing::Unknown);
        assert_eq!(gone.reply(), "550 5.1.6 Has left, without a forwarding address");
        let other = raise("alice@example.com", Standing::Local);
        assert_eq!((other.verdict(), other.edits.len()), ("next", 0));
    }
}
