//! `[sink.config]` of the manifest.

use crate::Fault;
use crate::seam::{Here, World};
use serde::de::DeserializeOwned;

/// `[sink.config]` of the manifest, read by serde; without one, as if it were empty. A fault names what does not fit.
///
/// ```
/// # use mailsluice_sink::{Fault, config};
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     tag: String,
/// }
/// struct Tag(Config);
/// impl Tag {
///     fn open() -> Result<Self, Fault> {
///         Ok(Self(config()?))
///     }
/// }
/// # let world = mailsluice_sink::test::World::new().config(serde_json::json!({ "tag": "x" }));
/// # assert_eq!(world.here(Tag::open).unwrap().0.tag, "x");
/// ```
pub fn config<T: DeserializeOwned>() -> Result<T, Fault> {
    serde_json::from_str(&Here::config()).map_err(|error| Fault::error(format!("[sink.config]: {error}")))
}
