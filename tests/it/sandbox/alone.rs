//! A guest without a server around it: a sandbox, the terms, and the seam, for what takes many calls or unusual terms.
