//! How the client's octets are cut into packets: what a server says must not depend on it.

/// How the client's octets are cut into packets.
#[derive(Clone, Copy, Debug)]
pub enum Packets {
    /// A packet per line, and each reply awaited before the next.
    AsWritten,
    /// All at once.
    One,
    /// A packet per octet.
    Octets,
    /// Cut where chance will have it.
    Random(u64),
}

/// The packets.
pub(super) fn cut(octets: &[u8], packets: Packets) -> impl Iterator<Item = &[u8]> {
    let mut random = match packets {
        Packets::Random(seed) => seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        _ => 0,
    };
    let mut rest = octets;
    std::iter::from_fn(move || {
        // Xorshift; packets of 1 to 32 octets are most likely to part what must not be parted.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let size = match packets {
            Packets::Octets => 1,
            Packets::Random(_) => 1 + (random % 32) as usize,
            Packets::AsWritten | Packets::One => rest.len(),
        };
        let (packet, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        (!packet.is_empty()).then_some(packet)
    })
}
