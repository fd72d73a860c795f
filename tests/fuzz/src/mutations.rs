//! Changes to something that was sound: the input of a target says what is done to it, so that checksums are not in the way.

/// A list of changes.
#[derive(Clone, Debug)]
pub struct Mutations<'a>(&'a [u8]);

impl<'a> Mutations<'a> {
    pub fn read(data: &'a [u8]) -> Mutations<'a> {
        Mutations(data)
    }

    /// Each change is five bytes: what, where (two bytes, anywhere in `bytes`), and two for the change itself.
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        for change in self.0.chunks_exact(5) {
            let [what, high, low, first, second] = change else {
                continue;
            };
            if bytes.is_empty() {
                return;
            }
            let length = bytes.len();
            let place = |high: u8, low: u8| {
                usize::from(u16::from_be_bytes([high, low])) * length / (usize::from(u16::MAX) + 1)
            };
            let at = place(*high, *low);
            let other = place(*first, *second);
            match what % 6 {
                0 => bytes[at] ^= 1 << (first % 8),
                1 => bytes[at] = *first,
                // A misdirected write: up to 255 bytes from elsewhere.
                2 => {
                    let count = usize::from(*what).min(length - at).min(length - other);
                    bytes.copy_within(other..other + count, at);
                }
                // A lost write.
                3 => {
                    let end = length.min(at + usize::from(*first) * 16);
                    bytes[at..end].fill(0);
                }
                4 => bytes.truncate(at),
                _ => {
                    let end = length.min(at + usize::from(*second));
                    bytes[at..end].fill(*first);
                }
            }
        }
    }
}
