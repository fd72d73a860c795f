//! What a bank does with an incoming payment. The default is to accept; a script queues other behaviours for the next payments.

/// Behaviour towards one forwarded payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// ACSP at once.
    Accept,
    /// RJCT with an ISO code, e.g. `AC04`.
    Reject([u8; 4]),
    /// ACSP after so many milliseconds.
    Delay(u64),
    /// No answer at all.
    Silent,
    /// ACSP, and the same ACSP again.
    Twice,
    /// ACSP that names another TxId.
    WrongId,
    /// Text that is no XML in place of the answer.
    Garbage,
    /// The link is cut without an answer and comes back.
    DropLink,
    /// The next confirmation request (acmt.023) is answered with `false`.
    Deny,
    /// The next confirmation request is answered after so many milliseconds.
    ConfirmLate(u64),
}

impl Behaviour {
    /// Reads `accept`, `reject:AC04`, `delay:2000`, `silent`, `twice`, `wrong-id`, `garbage`, `drop-link`, `deny`,
    /// `confirm-late:2000`.
    ///
    /// # Errors
    /// The words that are allowed.
    pub fn parse(text: &str) -> Result<Behaviour, String> {
        let (word, value) = text
            .split_once(':')
            .map_or((text, None), |(word, value)| (word, Some(value)));
        match (word, value) {
            ("accept", None) => Ok(Behaviour::Accept),
            ("reject", Some(code)) => match code.as_bytes().try_into() {
                Ok(code) => Ok(Behaviour::Reject(code)),
                Err(_) => Err(format!("`{code}`: a reason code has four characters")),
            },
            ("delay", Some(millis)) => milliseconds(millis).map(Behaviour::Delay),
            ("confirm-late", Some(millis)) => milliseconds(millis).map(Behaviour::ConfirmLate),
            ("silent", None) => Ok(Behaviour::Silent),
            ("twice", None) => Ok(Behaviour::Twice),
            ("wrong-id", None) => Ok(Behaviour::WrongId),
            ("garbage", None) => Ok(Behaviour::Garbage),
            ("drop-link", None) => Ok(Behaviour::DropLink),
            ("deny", None) => Ok(Behaviour::Deny),
            _ => Err(format!(
                "`{text}` is none of accept, reject:CODE, delay:MS, silent, twice, wrong-id, garbage, drop-link, deny, confirm-late:MS"
            )),
        }
    }
}

fn milliseconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}`: milliseconds"))
}
