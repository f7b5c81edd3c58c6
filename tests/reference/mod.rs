//! What more than one test program needs: the naive model of a session, a server and a disk in memory, users, small messages.
//! The integration tests and the fuzz targets include it by its path.

pub(crate) mod disk;
pub(crate) mod letters;
pub(crate) mod logins;
pub(crate) mod memory;
pub(crate) mod session;
