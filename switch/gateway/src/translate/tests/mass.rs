use torap_engine::{
    instant::CreditTransfer as Payment,
    mass::{self, Take},
};
use torap_iso20022::{
    view::{BusinessHeader, CreditTransfer, MASS_SERVICE},
    write::{self, Carried},
};

use super::*;
use crate::fixtures::{
    ACCEPTED_NS, CASP, HSBK, SWITCH, by_account, by_phone, payment as alone, written,
};

/// `count` lines from HSBK to CASP under the MsgId.
fn message(message_id: &str, count: usize) -> String {
    let ids: Vec<(String, String)> = (1..=count)
        .map(|number| {
            let uetr = format!("00000000-0000-4000-8000-{number:012}");
            (format!("TX-{number}"), uetr)
        })
        .collect();
    let lines: Vec<CreditTransfer<'_>> = ids
        .iter()
        .map(|(transaction_id, uetr)| CreditTransfer {
            message_id,
            transaction_id,
            uetr,
            instructed_agent: None,
            ..by_account()
        })
        .collect();
    let header = BusinessHeader {
        from: HSBK,
        to: SWITCH,
        message_id,
        service: Some(MASS_SERVICE),
        created_ns: ACCEPTED_NS,
        possible_duplicate: false,
    };
    let body =
        written(|out| write::credit_transfers(out, Some(&header), &lines, &Carried::default()));
    String::from_utf8(body.to_vec()).unwrap()
}

fn taken(text: &str) -> Take {
    let body = Bytes::copy_from_slice(text.as_bytes());
    match command_from(1, &body, &Known::default()) {
        Command::Mass(mass::Command::Take(take)) => take,
        other => panic!("{other:?}"),
    }
}

/// What the message is refused with: path, code, and the name of the rule.
fn refused(text: &str) -> (String, String, String) {
    let body = Bytes::copy_from_slice(text.as_bytes());
    let refusal = refusal_from(1, &body, &Known::default());
    let rule = refusal.rule.as_str().split(':').next().unwrap().to_owned();
    (
        refusal.path.as_str().into(),
        refusal.code.as_str().into(),
        rule,
    )
}

#[test]
fn a_message_of_many_lines_becomes_a_piece_of_a_file() {
    let take = taken(&message("2/7/SALARY-11", 70));
    assert_eq!(take.source, source(1));
    assert_eq!(take.message_id.as_str(), "2/7/SALARY-11");
    assert_eq!(take.instructing_agent.as_str(), HSBK);
    assert_eq!((take.piece.number, take.piece.last), (2, false));
    assert_eq!(take.piece.file, file_key(ParticipantId(1), "SALARY-11"));
    assert_eq!(take.lines.len(), 70);
    let line = &take.lines[69];
    assert_eq!(line.transaction_id.as_str(), "TX-70");
    assert_eq!(line.line.key, payment_key(ParticipantId(1), "TX-70"));
    assert_eq!(line.instruction_id.unwrap().as_str(), "HSBK-INSTR-1");
    assert_eq!(line.fault, None);
    let last = taken(&message("7/7/SALARY-11", 1));
    assert_eq!((last.piece.number, last.piece.last), (7, true));
    let whole = taken(&message("SALARY/11", 1));
    assert_eq!((whole.piece.number, whole.piece.last), (1, true));
    assert_eq!(whole.piece.file, file_key(ParticipantId(1), "SALARY/11"));
}

#[test]
fn what_lines_say_decides_whether_two_messages_are_the_same() {
    let text = message("FILE", 3);
    let content = |text: &str| taken(text).content;
    let resent = text
        .replace("<AccptncDtTm>2026", "<AccptncDtTm>2025")
        .replace("Перевод", "Перев");
    assert_eq!(content(&resent), content(&text));
    let other = text.replacen(
        ">15250.00</IntrBkSttlmAmt>",
        ">15250.01</IntrBkSttlmAmt>",
        1,
    );
    assert_ne!(other, text);
    assert_ne!(content(&other), content(&text));
    let broken = text.replacen("<Prtry>119</Prtry></Purp>", "<Prtry>1199</Prtry></Purp>", 1);
    assert_ne!(content(&broken), content(&text));
    assert_eq!(content(&broken), content(&broken));
}

#[test]
fn a_line_that_breaks_a_table_or_a_rule_is_named_and_the_others_stand() {
    let text = message("FILE", 3);
    let fault = |from: &str, to: &str| {
        let broken = text.replacen("TX-1", "\u{0}", 1);
        let broken = broken.replacen(from, "\u{1}", 1).replacen(from, to, 1);
        let broken = broken
            .replacen('\u{1}', from, 1)
            .replacen('\u{0}', "TX-1", 1);
        assert_ne!(broken, text);
        let take = taken(&broken);
        assert_eq!((take.lines[0].fault, take.lines[2].fault), (None, None));
        let fault = take.lines[1].fault.expect("a fault");
        (
            fault.code.as_str().to_owned(),
            fault.text.as_str().to_owned(),
        )
    };
    let (code, place) = fault("<Prtry>119</Prtry></Purp>", "<Prtry>1199</Prtry></Purp>");
    assert_eq!(code, "FF07");
    assert!(place.starts_with("CdtTrfTxInf[2]/Purp/Prtry: "), "{place}");
    let (code, place) = fault("KZ45722S000054326792", "KZ45722S000054326793");
    assert_eq!(code, "AC03");
    assert!(
        place.starts_with("CdtTrfTxInf[2]/CdtrAcct/Id/IBAN: "),
        "{place}"
    );
    let (code, _) = fault(">15250.00</IntrBkSttlmAmt>", ">0.00</IntrBkSttlmAmt>");
    assert_eq!(code, "AM01");
}

#[test]
fn what_is_wrong_with_the_message_refuses_all_of_it() {
    let text = message("FILE", 3);
    let (path, code, rule) = refused(&text.replacen("<NbOfTxs>3<", "<NbOfTxs>4<", 1));
    assert!(path.ends_with("GrpHdr/NbOfTxs"), "{path}");
    assert_eq!((code.as_str(), rule.as_str()), ("AM18", "number-of-lines"));
    // Against the schema.
    let (path, code, _) = refused(&text.replacen("<ChrgBr>SLEV</ChrgBr>", "", 2));
    assert!(path.contains("CdtTrfTxInf"), "{path}");
    assert_eq!(code, "CH17");
    // Nobody could be told of a line without an identifier.
    let (_, _, rule) = refused(&text.replacen("<TxId>TX-2</TxId>", "", 1));
    assert_eq!(rule, "line-identity");
    for id in ["0/2/FILE", "3/2/FILE", "1/1/"] {
        let (path, code, rule) = refused(&message(id, 1));
        assert!(path.ends_with("GrpHdr/MsgId"), "{path}");
        assert_eq!((code.as_str(), rule.as_str()), ("CH16", "piece-number"));
    }
    // In another bank's name.
    let (_, code, rule) = refused(&text.replace(HSBK, CASP));
    assert_eq!((code.as_str(), rule.as_str()), ("AG08", "unbound-sender"));
}

#[test]
fn a_line_is_handed_in_as_the_payment_that_it_would_have_been_alone() {
    let text = message("1/2/FILE", 3);
    let mut translator = Translator::new();
    let lines = translator.lines(text.as_bytes()).unwrap();
    assert_eq!(lines.len(), 3);
    let at = torap_domain::Time::from_nanos(ACCEPTED_NS + 60_000_000_000);
    let (payment, body) = translator
        .line(
            &lines[1],
            (ParticipantId(1), at),
            &network(),
            &Known::default(),
        )
        .unwrap();
    let uetr = "00000000-0000-4000-8000-000000000002";
    let single = alone(&CreditTransfer {
        message_id: "1/2/FILE",
        transaction_id: "TX-2",
        uetr,
        instructed_agent: None,
        ..by_account()
    });
    let expected = transfer(command_from(1, &single, &Known::default()));
    let expected = Payment {
        source: Source::Switch,
        accepted: at,
        ..expected
    };
    assert_eq!(payment, expected);
    // What is passed on to the payee's bank is this message.
    let again = transfer(command_from(1, &body, &Known::default()));
    assert_eq!(
        again,
        Payment {
            source: source(1),
            ..expected
        }
    );
    assert!(translator.lines(b"<x/>").is_err());
    assert!(translator.lines(alone(&by_phone()).as_ref()).is_ok());
}
