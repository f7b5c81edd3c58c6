//! The system's Kerberos library (MIT or Heimdal), by way of libgssapi.
//!
//! That crate can't be told where the keys are, and a running process can't change its own environment safely: so the variable has
//! been set when the process began, and a context for other keys than those is refused. The library opens the keytab anew each time.

use super::{Acceptor, Context, Service, VARIABLE, value};
use crate::sasl::gssapi::{Ask, Told};
use libgssapi::context::{CtxFlags, SecurityContext, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_HOSTBASED_SERVICE, OidSet};
use std::sync::{Mutex, PoisonError};

/// The service under any name of its host.
const SERVICE: &str = "smtp";

/// Kerberos by the system's library.
#[derive(Clone, Copy, Debug)]
pub struct Library;

impl Acceptor for Library {
    fn open(&self, keys: &Service) -> Result<Box<dyn Context>, String> {
        if std::env::var_os(VARIABLE).is_none_or(|set| set != value(&keys.keytab)) {
            return Err(format!("this process was not started with {VARIABLE} set for `{}`", keys.keytab.display()));
        }
        let cred = acquire(keys.name.as_deref().unwrap_or(SERVICE)).map_err(|e| format!("the keytab: {}", flat(&e)))?;
        Ok(Box::new(Ticket(Mutex::new(ServerCtx::new(Some(cred))))))
    }
}

fn acquire(service: &str) -> Result<Cred, Error> {
    let name = Name::new(service.as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE))?;
    let kerberos = OidSet::singleton(GSS_MECH_KRB5)?;
    Cred::acquire(Some(&name), None, CredUsage::Accept, Some(&kerberos))
}

/// The library's texts have line ends in them.
fn flat(error: &Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a context has to have: nothing is protected without the first, and anonymous tickets are nobody's.
fn fits(flags: CtxFlags) -> bool {
    flags.contains(CtxFlags::GSS_C_INTEG_FLAG) && !flags.contains(CtxFlags::GSS_C_ANON_FLAG)
}

/// The library's contexts may be moved and not shared: the lock is never waited for.
struct Ticket(Mutex<ServerCtx>);

impl Context for Ticket {
    fn tell(&mut self, ask: Ask) -> Told {
        let context = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let told = match ask {
            Ask::Accept(token) => accept(context, &token),
            Ask::Wrap(octets) => context.wrap(false, &octets).map(|out| Told::Octets(out.to_vec())),
            Ask::Unwrap(octets) => context.unwrap(&octets).map(|out| Told::Octets(out.to_vec())),
        };
        told.unwrap_or_else(|error| {
            tracing::info!("a Kerberos ticket is refused: {}", flat(&error));
            Told::Refused
        })
    }
}

fn accept(context: &mut ServerCtx, token: &[u8]) -> Result<Told, Error> {
    // No channel bindings: RFC 4752 3.2.
    let octets = context.step(token, None)?.map(|out| out.to_vec()).unwrap_or_default();
    // Rights that a client hands on are of no use here.
    drop(context.take_delegated_cred());
    if !context.is_complete() {
        return Ok(Told::Token { octets, principal: None });
    }
    let name = context.source_name()?.display_name()?;
    Ok(match String::from_utf8(name.to_vec()) {
        Ok(principal) if fits(context.flags()?) => Told::Token { octets, principal: Some(principal) },
        _ => Told::Refused,
    })
}
