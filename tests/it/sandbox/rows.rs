//! The table of known hazards, held against the guests and the tests.
