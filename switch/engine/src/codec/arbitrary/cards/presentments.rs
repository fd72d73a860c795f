//! Arbitrary pieces of presentment files.

use proptest::{collection::vec, option, prelude::*, sample::select};
use torap_domain::Text;

use super::super::{money, participant, position, source, text, time};
use super::{approval, bytes16, card, date, mcc, trace, transaction};
use crate::{
    cards::{CardKey, Header, Known, Line, LineKind, Present},
    clearing::{FileKey, Piece},
};

pub(super) fn present() -> BoxedStrategy<Present> {
    let piece =
        (any::<[u8; 16]>(), any::<u32>(), any::<bool>()).prop_map(|(file, number, last)| Piece {
            file: FileKey(file),
            number,
            last,
        });
    (source(), participant(), piece, header(), vec(line(), 0..4))
        .prop_map(|(source, participant, piece, header, lines)| Present {
            source,
            participant,
            piece,
            header,
            lines,
        })
        .boxed()
}

fn header() -> BoxedStrategy<Header> {
    (text::<35>(), date(), any::<(u32, u64, u64)>())
        .prop_map(
            |(file_id, date, (lines, purchases, refunds)): (Text<35>, _, _)| Header {
                file_id,
                date,
                lines,
                purchases,
                refunds,
            },
        )
        .boxed()
}

pub(in crate::codec::arbitrary) fn known() -> BoxedStrategy<Known> {
    (
        (
            position(),
            time(),
            transaction(),
            participant(),
            participant(),
        ),
        (
            option::of(approval()),
            money(),
            money(),
            option::of(trace()),
        ),
    )
        .prop_map(
            |(
                (submitted, at, transaction, acquirer, issuer),
                (approval, approved, stands, asked),
            )| {
                Known {
                    submitted,
                    at,
                    transaction,
                    acquirer,
                    issuer,
                    approval,
                    approved,
                    stands,
                    asked,
                }
            },
        )
        .boxed()
}

fn line() -> BoxedStrategy<Line> {
    (
        (
            any::<u32>(),
            select(vec![LineKind::Purchase, LineKind::Refund]),
            bytes16(),
            text::<23>(),
            text::<12>(),
            text::<8>(),
        ),
        (
            card(),
            option::of(approval()),
            money(),
            date(),
            mcc(),
            any::<bool>(),
            option::of(known()),
        ),
    )
        .prop_map(
            |(
                (number, kind, key, reference, retrieval, terminal),
                (card, approval, amount, date, mcc, presented, known),
            )| Line {
                number,
                kind,
                key: CardKey(key),
                reference,
                retrieval,
                terminal,
                card: card.pan,
                approval,
                amount,
                date,
                mcc,
                presented,
                known,
            },
        )
        .boxed()
}
