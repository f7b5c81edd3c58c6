//! One order: the names are shown to be ours, a new key is made, and the authority issues a certificate for it (RFC 8555 7.4).

use super::failure::{self, Failure};
use super::shown::{Display, Shown};
use crate::config::acme::Challenge;
use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use std::time::Duration;

/// How the authority is asked how far it is. It may say itself how long to wait in between.
const ASKING: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(Duration::from_secs(180));

/// A key and the certificates for it, in PEM.
pub(super) struct Issued {
    pub(super) key: String,
    pub(super) chain: String,
}

/// Has a certificate for these names issued. The first of the challenges that the authority offers is taken.
pub(super) async fn fulfil(
    account: &Account,
    names: &[String],
    challenges: &[Challenge],
    shown: &Shown,
) -> Result<Issued, Failure> {
    let identifiers: Vec<Identifier> = names.iter().map(|name| Identifier::Dns(name.clone())).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    // Kept until the authority has decided.
    let displays = show(&mut order, challenges, shown).await?;
    match order.poll_ready(&ASKING).await {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => {}
        Ok(_) | Err(instant_acme::Error::Api(_)) => return Err(refused(&mut order).await?),
        Err(error) => return Err(error.into()),
    }
    drop(displays);
    let (key, request) = request(names).map_err(|error| Failure::new(format!("no key could be made: {error}")))?;
    order.finalize_csr(&request).await?;
    let chain = order.poll_certificate(&ASKING).await?;
    Ok(Issued { key, chain })
}

/// Shows what is asked for, and says that it can be looked at.
async fn show(order: &mut Order, challenges: &[Challenge], shown: &Shown) -> Result<Vec<Display>, Failure> {
    let mut displays = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        match authorization.status {
            // Shown before, and believed still.
            AuthorizationStatus::Valid => {}
            AuthorizationStatus::Pending => displays.push(answer(authorization, challenges, shown).await?),
            other => {
                let name = authorization.identifier().to_string();
                return Err(Failure::new(format!("the authority has the name {name} as {other:?}")));
            }
        }
    }
    Ok(displays)
}

async fn answer(
    mut authorization: AuthorizationHandle<'_>,
    challenges: &[Challenge],
    shown: &Shown,
) -> Result<Display, Failure> {
    let name = authorization.identifier().to_string();
    let offered = |challenge: &&Challenge| authorization.challenges.iter().any(|c| c.r#type == kind(**challenge));
    let Some(challenge) = challenges.iter().find(offered).copied() else {
        return Err(Failure::new(format!("the authority offers no challenge for {name} that `challenges` allows")));
    };
    let handle = authorization.challenge(kind(challenge));
    let mut handle = handle.ok_or_else(|| Failure::new("the challenge is gone"))?;
    let authorization = handle.key_authorization();
    let display = shown.show(challenge, (&name, &handle.token.clone()), &authorization)?;
    handle.set_ready().await?;
    Ok(display)
}

/// What the authority did not like.
async fn refused(order: &mut Order) -> Result<Failure, Failure> {
    let own = order.state().error.as_ref().map(failure::text);
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        authorization.refresh().await?;
        let problem = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problem {
            let name = authorization.identifier().to_string();
            return Ok(Failure::new(format!("the authority does not believe in {name}: {}", failure::text(problem))));
        }
    }
    let own = own.unwrap_or_else(|| "it does not say why".to_owned());
    Ok(Failure::new(format!("the authority refuses the order: {own}")))
}

fn kind(challenge: Challenge) -> ChallengeType {
    match challenge {
        Challenge::Http01 => ChallengeType::Http01,
        Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
    }
}

/// A new key on P-256 in PEM, and a request for a certificate with these names.
fn request(names: &[String]) -> Result<(String, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    Ok((key.serialize_pem(), request.der().to_vec()))
}
