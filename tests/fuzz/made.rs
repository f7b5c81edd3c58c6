//! Inputs made of seeds: octets changed, put in, taken out and repeated, words thrown in, seeds joined. What is done, a
//! number says.

/// Longer inputs are cut.
const LEN_MAX: usize = 4096;

/// What parsers trip over.
const WORDS: [&[u8]; 40] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r\n..",
    b".",
    b" ",
    b"\t",
    b"\r\n ",
    b":",
    b"@",
    b"<",
    b">",
    b"<>",
    b"\"",
    b"\\",
    b"[",
    b"]",
    b"=",
    b"'",
    b"{",
    b"}",
    b"#",
    b",",
    b"*",
    b"\xff",
    b"\xc3",
    "\u{fc}".as_bytes(),
    "\u{2028}".as_bytes(),
    b" LAST",
    b"BDAT 3\r\n",
    b"DATA\r\n",
    b"RSET\r\n",
    b"18446744073709551616",
    b"-1",
    b"\x16\x03",
    b"[[",
    b"0x7fffffffffffffff",
];

/// Makes the inputs of one target.
pub(crate) struct Maker {
    target: u64,
    seeds: Vec<Vec<u8>>,
}

impl Maker {
    pub(crate) fn new(target: &str, seeds: Vec<Vec<u8>>) -> Self {
        let target = target.bytes().fold(0, |sum: u64, octet| sum.wrapping_mul(257).wrapping_add(octet.into()));
        Self { target, seeds }
    }

    /// The input of this number.
    pub(crate) fn input(&self, number: u64) -> Vec<u8> {
        let mut dice = Dice(self.target ^ mixed(number));
        let mut input = self.seed(&mut dice).to_vec();
        for _ in 0..1 + dice.below(6) {
            self.change(&mut input, &mut dice);
            input.truncate(LEN_MAX);
        }
        input
    }

    fn seed(&self, dice: &mut Dice) -> &[u8] {
        self.seeds.get(dice.below(self.seeds.len())).map_or(&[], Vec::as_slice)
    }

    fn change(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.below(input.len() + 1);
        let end = (at + 1 + dice.below(16)).min(input.len());
        match dice.below(8) {
            0 | 1 => {
                if let Some(octet) = input.get_mut(at) {
                    *octet ^= 1 << dice.below(8);
                }
            }
            2 => {
                if let Some(octet) = input.get_mut(at) {
                    *octet = dice.below(256) as u8;
                }
            }
            3 | 4 => drop(input.splice(at..at, WORDS[dice.below(WORDS.len())].iter().copied())),
            5 => drop(input.drain(at..end.max(at))),
            6 => {
                let again = input[at..end.max(at)].to_vec();
                drop(input.splice(at..at, again));
            }
            _ => {
                let other = self.seed(dice);
                let tail = &other[dice.below(other.len() + 1)..];
                input.truncate(at);
                input.extend_from_slice(tail);
            }
        }
    }
}

/// Chance that can be repeated (splitmix64).
struct Dice(u64);

impl Dice {
    /// A number below `end`; 0 if that is 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0).checked_rem(end as u64).unwrap_or_default() as usize
    }
}

fn mixed(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
