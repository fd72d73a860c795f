use torap_iso20022::write;

use super::*;
use crate::fixtures::{
    self, BENCH, Random, by_account, by_phone, by_qr, look_up, own_accounts, payee_record, payment,
    payment_return, recall, resolution, status_request, written,
};

#[test]
fn no_bytes_make_translation_panic() {
    let mut messages = vec![
        BENCH.to_vec(),
        payment(&by_account()).to_vec(),
        payment(&by_phone()).to_vec(),
        payment(&own_accounts()).to_vec(),
        payment(&by_qr("Q-1")).to_vec(),
        written(|out| write::payment_return(out, None, &payment_return())).to_vec(),
        written(|out| write::status_request(out, None, &status_request())).to_vec(),
        written(|out| write::cancellation_request(out, None, &recall())).to_vec(),
        written(|out| write::resolution(out, None, &resolution())).to_vec(),
        written(|out| write::verification_request(out, None, &look_up())).to_vec(),
        written(|out| write::verification_report(out, None, &fixtures::confirmation(true)))
            .to_vec(),
    ];
    messages.push((0..=255).collect());
    messages.push(Vec::new());
    let known = Known::with([payee_record()]);
    let (network, mut translator) = (network(), Translator::new());
    let mut random = Random::new(0x7ab1e);
    let (mut accepted, mut refused) = (0, 0);
    for message in &messages {
        for round in 0..150 {
            let body = Bytes::from(random.mutate(message));
            let content_type = if round % 8 == 0 {
                ContentType::CommandJson
            } else {
                ContentType::Iso20022Xml
            };
            let inbound = Inbound {
                participant: ParticipantId(1 + round % 2),
                sequence: Sequence::new(1),
                content_type,
                body: &body,
            };
            let translated = translator.translate(inbound, &network, &known, round % 5 == 0);
            match translated.command {
                Command::Links(links::Command::Refused { refusal, .. }) => {
                    refused += 1;
                    assert!(
                        !refusal.path.is_empty()
                            && !refusal.rule.is_empty()
                            && !refusal.code.is_empty()
                    );
                    assert!(translated.evidence.len() <= REFUSED_EVIDENCE_BYTES_MAX);
                }
                _ => {
                    accepted += 1;
                    assert_eq!(translated.evidence, body);
                }
            }
        }
    }
    assert!(accepted > 5 && refused > 500, "{accepted} {refused}");
}
