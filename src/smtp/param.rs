//! Parameters of MAIL and RCPT (RFC 5321 4.1.2): the raw list, and what the server reads itself.
//!
//! Reads SIZE (RFC 1870), BODY (RFC 6152, RFC 3030 3), AUTH (RFC 4954 5), SMTPUTF8 (RFC 6531), RET, ENVID, NOTIFY and ORCPT (RFC 3461), and by
//! `wishes` HOLDFOR, HOLDUNTIL (RFC 4865), BY (RFC 2852), MT-PRIORITY (RFC 6710) and REQUIRETLS (RFC 8689), each only while its
//! extension is offered. A parameter that a sink claims is kept as it came; any other is a fault.

use super::extension::Extensions;
use super::fault::Fault;
use super::{wishes, xtext};
use crate::mail::{BodyType, By, HoldRequest, Mailbox, Notify, OriginalRecipient, Param, Priority, Ret};

/// The longest ENVID, in octets (RFC 3461 4.4).
pub const ENVID_MAX: usize = 100;
/// The longest ORCPT, in octets (RFC 3461 4.2).
const ORCPT_MAX: usize = 500;

/// The parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParams {
    /// SIZE, in octets; a number that fits nowhere is the largest one.
    pub size: Option<u64>,
    /// BODY.
    pub body: BodyType,
    /// SMTPUTF8 was given.
    pub smtputf8: bool,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID, still in xtext.
    pub envid: Option<String>,
    /// HOLDFOR or HOLDUNTIL.
    pub hold: Option<HoldRequest>,
    /// BY.
    pub by: Option<By>,
    /// MT-PRIORITY.
    pub priority: Option<Priority>,
    /// REQUIRETLS was given.
    pub require_tls: bool,
    /// What sinks claim.
    pub claimed: Vec<Param>,
}

/// The parameters of RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParams {
    /// NOTIFY.
    pub notify: Option<Notify>,
    /// ORCPT, still encoded.
    pub orcpt: Option<OriginalRecipient>,
    /// What sinks claim.
    pub claimed: Vec<Param>,
}

/// Reads what follows the path of MAIL.
pub fn mail(text: &str, extensions: &Extensions) -> Result<MailParams, Fault> {
    let mut params = MailParams::default();
    for param in split(text)? {
        let bad = || Fault::BadValue(param.keyword.clone());
        let value = param.value.as_deref();
        match param.keyword.as_str() {
            "SIZE" if extensions.offers("SIZE") => params.size = Some(size(value).ok_or_else(bad)?),
            "BODY" if extensions.offers("8BITMIME") || extensions.offers("BINARYMIME") => {
                params.body = body(value, extensions).ok_or_else(bad)?;
            }
            "SMTPUTF8" if extensions.offers("SMTPUTF8") => match value {
                None => params.smtputf8 = true,
                Some(_) => return Err(bad()),
            },
            "RET" if extensions.offers("DSN") => params.ret = Some(ret(value).ok_or_else(bad)?),
            "ENVID" if extensions.offers("DSN") => params.envid = Some(envid(value).ok_or_else(bad)?),
            // Nobody is trusted to say who has submitted a message: what it says counts as `<>` (RFC 4954 5).
            "AUTH" if extensions.reads_auth() => submitter(value).ok_or_else(bad)?,
            "HOLDFOR" | "HOLDUNTIL" if extensions.offers("FUTURERELEASE") => {
                let hold = if param.keyword == "HOLDFOR" { wishes::hold_for } else { wishes::hold_until };
                let request = value.and_then(hold).ok_or_else(bad)?;
                if params.hold.replace(request).is_some() {
                    return Err(Fault::TwoHolds);
                }
            }
            "BY" if extensions.offers("DELIVERBY") => params.by = Some(value.and_then(wishes::by).ok_or_else(bad)?),
            "MT-PRIORITY" if extensions.offers("MT-PRIORITY") => {
                params.priority = Some(value.and_then(wishes::priority).ok_or_else(bad)?);
            }
            "REQUIRETLS" if extensions.offers("REQUIRETLS") => match value {
                None => params.require_tls = true,
                Some(_) => return Err(bad()),
            },
            name if extensions.claims_mail(name) => params.claimed.push(param),
            _ => return Err(Fault::UnknownParam(param.keyword)),
        }
    }
    ascii_unless(params.smtputf8, &params.claimed)?;
    Ok(params)
}

/// Reads what follows the path of RCPT. `smtputf8`: it was given with MAIL.
pub fn rcpt(text: &str, extensions: &Extensions, smtputf8: bool) -> Result<RcptParams, Fault> {
    let mut params = RcptParams::default();
    for param in split(text)? {
        let bad = || Fault::BadValue(param.keyword.clone());
        let value = param.value.as_deref();
        match param.keyword.as_str() {
            "NOTIFY" if extensions.offers("DSN") => params.notify = Some(notify(value).ok_or_else(bad)?),
            "ORCPT" if extensions.offers("DSN") => params.orcpt = Some(orcpt(value, smtputf8).ok_or_else(bad)?),
            name if extensions.claims_rcpt(name) => params.claimed.push(param),
            _ => return Err(Fault::UnknownParam(param.keyword)),
        }
    }
    ascii_unless(smtputf8, &params.claimed)?;
    Ok(params)
}

/// The raw list: keywords in upper case, each once.
pub fn split(text: &str) -> Result<Vec<Param>, Fault> {
    let mut params: Vec<Param> = Vec::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        if !is_keyword(keyword)
            || value.is_some_and(|v| v.is_empty() || v.contains('=') || v.contains(char::is_control))
        {
            return Err(Fault::BadParam);
        }
        let keyword = keyword.to_ascii_uppercase();
        if params.iter().any(|p| p.keyword == keyword) {
            return Err(Fault::RepeatedParam(keyword));
        }
        params.push(Param { keyword, value: value.map(str::to_owned) });
    }
    Ok(params)
}

/// `esmtp-keyword` (RFC 5321 4.1.2), of a sane length.
pub(crate) fn is_keyword(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn ascii_unless(smtputf8: bool, claimed: &[Param]) -> Result<(), Fault> {
    let foreign = claimed.iter().find(|p| !smtputf8 && p.value.as_deref().is_some_and(|v| !v.is_ascii()));
    foreign.map_or(Ok(()), |p| Err(Fault::BadValue(p.keyword.clone())))
}

fn size(value: Option<&str>) -> Option<u64> {
    let value = value.filter(|v| v.len() <= 20 && v.bytes().all(|b| b.is_ascii_digit()))?;
    // Twenty digits may be more than fits: surely over any limit.
    Some(value.parse().unwrap_or(u64::MAX))
}

/// `<>`, or an address in xtext (RFC 4954 5).
fn submitter(value: Option<&str>) -> Option<()> {
    match value? {
        "<>" => Some(()),
        value => Mailbox::parse(&xtext::decode(value)?).ok().map(drop),
    }
}

fn body(value: Option<&str>, extensions: &Extensions) -> Option<BodyType> {
    match value?.to_ascii_uppercase().as_str() {
        "7BIT" => Some(BodyType::SevenBit),
        "8BITMIME" if extensions.offers("8BITMIME") => Some(BodyType::EightBitMime),
        "BINARYMIME" if extensions.offers("BINARYMIME") => Some(BodyType::BinaryMime),
        _ => None,
    }
}

/// The value of RET; none if it is wrong or missing.
pub fn ret(value: Option<&str>) -> Option<Ret> {
    match value?.to_ascii_uppercase().as_str() {
        "FULL" => Some(Ret::Full),
        "HDRS" => Some(Ret::Hdrs),
        _ => None,
    }
}

fn envid(value: Option<&str>) -> Option<String> {
    let value = value.filter(|v| v.len() <= ENVID_MAX)?;
    xtext::decode(value).map(|_| value.to_owned())
}

/// The value of NOTIFY; none if it is wrong or missing.
pub fn notify(value: Option<&str>) -> Option<Notify> {
    let value = value?.to_ascii_uppercase();
    let mut notify = Notify::default();
    if value == "NEVER" {
        return Some(notify);
    }
    for word in value.split(',') {
        match word {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

fn orcpt(value: Option<&str>, smtputf8: bool) -> Option<OriginalRecipient> {
    let (kind, address) = value.filter(|v| v.len() <= ORCPT_MAX)?.split_once(';')?;
    let decoded = match kind.eq_ignore_ascii_case("utf-8") {
        true => xtext::decode_utf8(address, smtputf8),
        false => xtext::decode(address),
    };
    let ok = is_keyword(kind) && decoded.is_some_and(|d| !d.is_empty());
    ok.then(|| OriginalRecipient { kind: kind.to_owned(), address: address.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Extensions {
        let mut extensions = Extensions::default();
        extensions.claim_mail("XFOO").unwrap();
        extensions.claim_rcpt("XBAR").unwrap();
        extensions
    }

    #[test]
    fn mail_reads_its_own_and_keeps_the_claimed() {
        let text = " SIZE=12 body=8bitmime SMTPUTF8  RET=hdrs ENVID=a+2Bb xfoo=Ü";
        let params = mail(text, &offered()).unwrap();
        assert_eq!((params.size, params.body, params.smtputf8), (Some(12), BodyType::EightBitMime, true));
        assert_eq!((params.ret, params.envid.as_deref()), (Some(Ret::Hdrs), Some("a+2Bb")));
        assert_eq!(params.claimed, [Param { keyword: "XFOO".into(), value: Some("Ü".into()) }]);
        assert_eq!(mail(" SIZE=99999999999999999999", &offered()).unwrap().size, Some(u64::MAX));
    }

    #[test]
    fn wishes_are_read_where_they_are_offered() {
        let mut extensions = Extensions::default();
        for param in ["HOLDFOR=60", "HOLDUNTIL=2030-01-01T00:00:00Z", "BY=60;R", "MT-PRIORITY=3", "REQUIRETLS"] {
            let name = param.split('=').next().unwrap().to_owned();
            assert_eq!(mail(&format!(" {param}"), &extensions), Err(Fault::UnknownParam(name)));
        }
        for keyword in ["FUTURERELEASE", "DELIVERBY", "MT-PRIORITY", "REQUIRETLS"] {
            extensions.set_keyword(keyword, None).unwrap();
        }
        let params = mail(" HOLDFOR=60 by=60;rt MT-PRIORITY=-3 RequireTLS", &extensions).unwrap();
        assert_eq!(params.hold, Some(HoldRequest::For(60)));
        assert_eq!(params.by.map(|by| (by.seconds, by.trace)), Some((60, true)));
        assert_eq!((params.priority.map(Priority::level), params.require_tls), (Some(-3), true));
        for (text, fault) in [
            (" HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z", Fault::TwoHolds),
            (" HOLDFOR=60 HOLDFOR=60", Fault::RepeatedParam("HOLDFOR".into())),
            (" HOLDUNTIL=60", Fault::BadValue("HOLDUNTIL".into())),
            (" HOLDFOR", Fault::BadValue("HOLDFOR".into())),
            (" BY=0;R", Fault::BadValue("BY".into())),
            (" MT-PRIORITY=10", Fault::BadValue("MT-PRIORITY".into())),
            (" REQUIRETLS=1", Fault::BadValue("REQUIRETLS".into())),
        ] {
            assert_eq!(mail(text, &extensions), Err(fault), "{text}");
        }
    }

    #[test]
    fn mail_faults() {
        for (text, fault) in [
            (" XBAR", Fault::UnknownParam("XBAR".into())),
            (" AUTH=<>", Fault::UnknownParam("AUTH".into())),
            (" SIZE=1 size=1", Fault::RepeatedParam("SIZE".into())),
            (" SIZE", Fault::BadValue("SIZE".into())),
            (" SIZE=+1", Fault::BadValue("SIZE".into())),
            (" SIZE=1e3", Fault::BadValue("SIZE".into())),
            (" SIZE=", Fault::BadParam),
            (" =1", Fault::BadParam),
            (" SIZE=1=2", Fault::BadParam),
            (" -X", Fault::BadParam),
            (" BODY=9BIT", Fault::BadValue("BODY".into())),
            (" SMTPUTF8=1", Fault::BadValue("SMTPUTF8".into())),
            (" ENVID=a+0Ab", Fault::BadValue("ENVID".into())),
            (" XFOO=Ü", Fault::BadValue("XFOO".into())),
        ] {
            assert_eq!(mail(text, &offered()), Err(fault), "{text}");
        }
        let long = format!(" ENVID={}", "a".repeat(101));
        assert_eq!(mail(&long, &offered()), Err(Fault::BadValue("ENVID".into())));
    }

    #[test]
    fn what_is_not_offered_is_not_known() {
        let mut extensions = Extensions::default();
        extensions.remove_keyword("DSN");
        extensions.remove_keyword("SIZE");
        assert_eq!(mail(" BODY=binarymime", &extensions).unwrap().body, BodyType::BinaryMime);
        extensions.remove_keyword("CHUNKING");
        assert_eq!(mail(" BODY=BINARYMIME", &extensions), Err(Fault::BadValue("BODY".into())));
        extensions.remove_keyword("8BITMIME");
        assert_eq!(mail(" BODY=7BIT", &extensions), Err(Fault::UnknownParam("BODY".into())));
        assert_eq!(mail(" RET=FULL", &extensions), Err(Fault::UnknownParam("RET".into())));
        assert_eq!(mail(" SIZE=1", &extensions), Err(Fault::UnknownParam("SIZE".into())));
        assert_eq!(rcpt(" NOTIFY=NEVER", &extensions, false), Err(Fault::UnknownParam("NOTIFY".into())));
    }

    #[test]
    fn rcpt_reads_notify_and_orcpt() {
        let params = rcpt(" NOTIFY=success,DELAY ORCPT=rfc822;a+2Bb@c XBAR", &offered(), false).unwrap();
        assert_eq!(params.notify, Some(Notify { success: true, failure: false, delay: true }));
        assert_eq!(params.orcpt, Some(OriginalRecipient { kind: "rfc822".into(), address: "a+2Bb@c".into() }));
        assert_eq!(params.claimed, [Param { keyword: "XBAR".into(), value: None }]);
        assert_eq!(rcpt(" NOTIFY=NEVER", &offered(), false).unwrap().notify, Some(Notify::default()));
        for bad in [
            "NOTIFY=NEVER,SUCCESS",
            "NOTIFY=",
            "NOTIFY=SUCCESS,",
            "ORCPT=a@b",
            "ORCPT=;a",
            "ORCPT=rfc822;",
            "ORCPT=rfc822;ü",
        ] {
            assert!(rcpt(&format!(" {bad}"), &offered(), true).is_err(), "{bad}");
        }
        assert!(rcpt(" ORCPT=utf-8;ü@x", &offered(), true).is_ok());
        assert!(rcpt(" ORCPT=utf-8;ü@x", &offered(), false).is_err());
        assert!(rcpt(r" ORCPT=utf-8;\x{FC}@x", &offered(), false).is_ok());
    }
}
