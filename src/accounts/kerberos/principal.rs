//! Principals: what Kerberos calls a client, and the names under which it may be a user here.

use crate::sasl::prep;

/// A client as Kerberos names it, of a realm that is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    whole: String,
    /// Of the first realm: the name alone. Elsewhere somebody else may have the same.
    own: Option<String>,
}

impl Principal {
    /// The principal `name@REALM`, if its realm is one of these. The first is our own.
    pub fn of(text: &str, realms: &[String]) -> Option<Self> {
        // What Kerberos escapes in names is nothing that a user could be called.
        let whole = prep::name(text).filter(|name| !name.contains('\\'))?;
        let (name, realm) = whole.split_once('@').filter(|(name, _)| !name.is_empty())?;
        // Realms are told apart by the case of their letters (RFC 4120 6.1).
        let at = realms.iter().position(|known| known == realm)?;
        let own = (at == 0).then(|| name.to_owned());
        Some(Self { whole, own })
    }

    /// The names under which the user file may have it, the closest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.whole.as_str()).chain(self.own.as_deref())
    }

    /// Whether this is what it is called, whatever the case.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_principal() {
        let realms = ["A.EXAMPLE".to_owned(), "B.EXAMPLE".to_owned()];
        let names = |text| Principal::of(text, &realms).map(|own| own.names().collect::<Vec<_>>().join(" "));
        assert_eq!(names("tim@A.EXAMPLE").as_deref(), Some("tim@A.EXAMPLE tim"));
        assert_eq!(names("tim@B.EXAMPLE").as_deref(), Some("tim@B.EXAMPLE"));
        assert_eq!(names("tim/admin@A.EXAMPLE").as_deref(), Some("tim/admin@A.EXAMPLE tim/admin"));
        for no in ["tim", "@A.EXAMPLE", "tim@C.EXAMPLE", "tim@a.example", "t\\@x@A.EXAMPLE", "t\\im@A.EXAMPLE", ""] {
            assert_eq!(names(no), None, "{no}");
        }
        let tim = Principal::of("tim@A.EXAMPLE", &realms).unwrap();
        assert!(tim.is_called("Tim") && tim.is_called("TIM@a.example") && !tim.is_called("tim@B.EXAMPLE"));
    }
}
