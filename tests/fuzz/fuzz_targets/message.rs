//! The gateway's whole way: any message of a bank becomes a command, which is written and read back as the same.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use torap_domain::{Bic, ParticipantId, Phone, Position, Sequence, Uetr};
use torap_engine::{
    codec,
    directory::Record,
    instant::{History, PaymentKey},
};
use torap_fuzz::world;
use torap_gateway::{
    translate::{Inbound, Lookups, Network, Translator},
    wire::ContentType,
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| {
    let views: Vec<_> = world::new().participant_views().collect();
    Network::new(Bic::parse("TORPKZKA").expect("a BIC"), &views)
});

struct Nothing;

impl Lookups for Nothing {
    fn alias(&self, _: Phone) -> (Position, Option<Record>) {
        (Position(9), None)
    }

    fn by_key(&self, _: &PaymentKey) -> Option<History> {
        None
    }

    fn by_uetr(&self, _: &Uetr) -> Option<History> {
        None
    }

    fn is_congested(&self, _: ParticipantId) -> bool {
        false
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let content_type = if kind % 4 == 0 {
        ContentType::CommandJson
    } else {
        ContentType::Iso20022Xml
    };
    let inbound = Inbound {
        participant: ParticipantId(1),
        sequence: Sequence(1),
        content_type,
        body: &Bytes::copy_from_slice(body),
    };
    let translated = Translator::new().translate(inbound, &NETWORK, &Nothing, kind & 0x80 != 0);
    let mut facts = Vec::new();
    let kind = codec::encode(&translated.command, &mut facts);
    assert_eq!(codec::decode(kind, &facts), Ok(translated.command));
});
