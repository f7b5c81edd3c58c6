//! The account with an authority: made once, kept in a file with its key, and looked for there.

use super::client::Client;
use super::failure::Failure;
use super::store::Store;
use crate::config::acme::Acme;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use serde::{Deserialize, Serialize};

/// The file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Whom the authority knows as contact.
    contact: Vec<String>,
    credentials: AccountCredentials,
}

/// The account with the authority of the settings; a new one if there is none.
pub(super) async fn open(acme: &Acme, client: &Client, store: &Store) -> Result<Account, Failure> {
    let name = file(acme);
    let Some(octets) = store.read(&name).await? else { return make(acme, client, store, &name).await };
    let unusable = |why: serde_json::Error| {
        let path = store.path(&name);
        Failure::new(format!("the account in `{}` can't be read: {why}; remove it to get a new one", path.display()))
    };
    let mut kept: Kept = serde_json::from_slice(&octets).map_err(unusable)?;
    let again = serde_json::from_slice::<Kept>(&octets).map_err(unusable)?.credentials;
    let account = Account::builder_with_http(Box::new(client.clone())).from_credentials(again).await?;
    if kept.contact != acme.contact {
        account.update_contacts(&texts(&acme.contact)).await?;
        kept.contact.clone_from(&acme.contact);
        keep(&kept, store, &name).await?;
    }
    Ok(account)
}

/// Forgets the account, which the authority has forgotten, too.
pub(super) async fn forget(acme: &Acme, store: &Store) -> Result<(), Failure> {
    store.remove(&file(acme)).await
}

async fn make(acme: &Acme, client: &Client, store: &Store, name: &str) -> Result<Account, Failure> {
    let binding = acme.binding.as_ref().map(|binding| {
        // The settings have looked that it is one.
        let key = URL_SAFE_NO_PAD.decode(binding.key.expose().trim_end_matches('=')).unwrap_or_default();
        ExternalAccountKey::new(binding.key_id.clone(), &key)
    });
    let contact = texts(&acme.contact);
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let builder = Account::builder_with_http(Box::new(client.clone()));
    let (account, credentials) = builder.create(&wanted, acme.directory.clone(), binding.as_ref()).await?;
    keep(&Kept { contact: acme.contact.clone(), credentials }, store, name).await?;
    tracing::info!(directory = acme.directory, account = account.id(), "an account for certificates was made");
    Ok(account)
}

async fn keep(kept: &Kept, store: &Store, name: &str) -> Result<(), Failure> {
    let octets = serde_json::to_vec_pretty(kept).map_err(|error| Failure::new(error.to_string()))?;
    store.write(name, octets).await
}

/// An authority has a file of its own.
fn file(acme: &Acme) -> String {
    let digest = blake3::hash(acme.directory.as_bytes()).to_hex();
    format!("account-{}.json", digest.chars().take(16).collect::<String>())
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}
