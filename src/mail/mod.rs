//! The nouns of mail: addresses, envelope, header, content, reply, origin.
//!
//! Plain data, parsed once into types that can't be wrong. Nothing here does I/O, reads the clock or
//! knows a protocol state.

pub mod address;
mod addresses;
pub mod content;
pub mod domain;
pub mod envelope;
pub mod glob;
pub mod header;
pub mod id;
pub mod message;
pub mod mime;
pub mod origin;
pub mod property;
pub mod property_blob;
pub mod reply;
pub mod text;
pub mod time;
pub mod tls;
pub mod wishes;

pub use address::{AddressError, ForwardPath, Mailbox, ReversePath};
pub use addresses::addresses;
pub use content::{Blob, Content, Piece};
pub use domain::{Domain, Host};
pub use envelope::{BodyType, Envelope, Fate, Notify, OriginalRecipient, Param, Recipient, Ret, Standing};
pub use glob::Glob;
pub use header::{Field, Header, HeaderError};
pub use id::{Id, IdSource};
pub use message::Message;
pub use origin::{Door, Made, Origin, Role};
pub use property::{Properties, PropertyError};
pub use reply::{Class, EnhancedCode, Reply};
pub use text::one_line;
pub use time::Timestamp;
pub use tls::{PeerCertificate, TlsFacts};
pub use wishes::{By, ByMode, DeliverBy, HoldRequest, Priority, TlsWish};
