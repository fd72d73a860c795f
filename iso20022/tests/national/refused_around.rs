//! What the profile refuses of the messages around a payment: answers, returns, recalls, look-ups, events.

use torap_iso20022::view::Body;

use crate::refused::check;
use crate::samples;

#[test]
fn status_reports_and_answers_need_their_reasons() {
    let body = Body::StatusReport(samples::rejected());
    let place = |rest: &str| format!("/Document/FIToFIPmtStsRpt/TxInfAndSts/{rest}");
    check(
        &body,
        "<Rsn><Cd>AM04</Cd></Rsn>",
        "",
        &place("StsRsnInf/Rsn/Cd reason-when-rejected CH21"),
    );
    check(
        &body,
        "<Cd>AM04<",
        "<Cd>am04<",
        &place("StsRsnInf/Rsn/Cd reason-code CH16"),
    );
    check(
        &body,
        "<TxSts>RJCT",
        "<TxSts>ACSC",
        &place("TxSts status-of-sender CH16"),
    );
    check(
        &body,
        "<TxSts>RJCT",
        "<TxSts>ACCC",
        &place("TxSts fixed-value CH16"),
    );

    let body = Body::Resolution(samples::resolution());
    let place = |rest: &str| format!("/Document/RsltnOfInvstgtn/CxlDtls/TxInfAndSts/{rest}");
    check(
        &body,
        "<Rsn><Cd>CUST</Cd></Rsn>",
        "",
        &place("CxlStsRsnInf/Rsn/Cd reason-when-refused CH21"),
    );
    check(
        &body,
        "<TxCxlSts>RJCR",
        "<TxCxlSts>PDCR",
        &place("TxCxlSts refusal-of-sender CH16"),
    );
    check(
        &body,
        "RJCR",
        "PDCR",
        &place("TxCxlSts refusal-of-sender CH16"),
    );

    let body = Body::VerificationReport(samples::not_found());
    check(
        &body,
        "<Rsn><Cd>BE23</Cd></Rsn>",
        "",
        "/Document/IdVrfctnRpt/Rpt/Rsn/Cd reason-when-not-verified CH21",
    );
}

#[test]
fn look_ups_ask_one_thing() {
    let place = |rest: &str| format!("/Document/IdVrfctnReq/Vrfctn/PtyAndAcctId/{rest}");
    let body = Body::VerificationRequest(samples::look_up());
    check(
        &body,
        "<Id>+7777",
        "<Id>+7111",
        &place("Acct/Prxy/Id phone-not-mobile BE23"),
    );
    check(
        &body,
        "<Cd>TELE",
        "<Cd>EMAL",
        &place("Acct/Prxy/Id question BE23"),
    );
    let phone = "<Acct><Prxy><Tp><Cd>TELE</Cd></Tp><Id>+77779876543</Id></Prxy></Acct>";
    check(&body, phone, "", &place("Acct/Prxy/Id question CH21"));
    check(
        &body,
        "790305300457",
        "790305300458",
        &place("Pty/Id/PrvtId/Othr/Id iin-check-digit BE17"),
    );
    let body = Body::VerificationRequest(samples::confirmation());
    check(
        &body,
        "<Cd>NIDN",
        "<Cd>CCPT",
        &place("Pty/Id/PrvtId/Othr/Id question CH21"),
    );
    check(
        &body,
        "KZ45722",
        "KZ46722",
        &place("Acct/Id/IBAN iban-check-digits AC01"),
    );
}

#[test]
fn returns_and_recalls() {
    let body = Body::Return(samples::payment_return());
    check(
        &body,
        "<Cd>FOCR",
        "<Cd>XXXX",
        "/Document/PmtRtr/TxInf/RtrRsnInf/Rsn/Cd fixed-value CH16",
    );
    check(
        &body,
        "<RtrId>RTR-0001</RtrId>",
        "",
        "/Document/PmtRtr/TxInf/RtrId mandatory CH21",
    );
    let with_total =
        "<NbOfTxs>1</NbOfTxs><TtlRtrdIntrBkSttlmAmt Ccy=\"KZT\">1.00</TtlRtrdIntrBkSttlmAmt>";
    let place = "/Document/PmtRtr/GrpHdr/TtlRtrdIntrBkSttlmAmt total-equals-amount AM10";
    check(&body, "<NbOfTxs>1</NbOfTxs>", with_total, place);
    let body = Body::CancellationRequest(samples::cancellation_request());
    check(
        &body,
        "<CxlId>CXL-0001</CxlId>",
        "",
        "/Document/FIToFIPmtCxlReq/Undrlyg/TxInf/CxlId mandatory CH21",
    );
    let place = "/Document/FIToFIPmtCxlReq/Undrlyg/TxInf/CxlRsnInf/Rsn/Cd mandatory CH21";
    check(&body, "<Rsn><Cd>DUPL</Cd></Rsn>", "", place);
    let body = Body::StatusRequest(samples::status_request());
    check(
        &body,
        "<OrgnlTxId>TX20261121091527123000001234</OrgnlTxId>",
        "",
        "/Document/FIToFIPmtStsReq/TxInf/OrgnlTxId mandatory CH21",
    );
}

#[test]
fn events_have_at_most_eight_parameters() {
    let parameter = "<EvtParam>HSBKKZKX</EvtParam>";
    for (body, place) in [
        (
            Body::EventNotice(samples::notice()),
            "/Document/SysEvtNtfctn/EvtInf/EvtParam",
        ),
        (
            Body::EventAcknowledgement(samples::acknowledgement()),
            "/Document/SysEvtAck/AckDtls/EvtParam",
        ),
    ] {
        let more = if matches!(body, Body::EventNotice(_)) {
            7
        } else {
            8
        };
        check(&body, parameter, &parameter.repeat(more), "ok");
        check(
            &body,
            parameter,
            &parameter.repeat(9),
            &format!("{place} at-most-eight-parameters CH17"),
        );
    }
}

#[test]
fn questions_about_payments_are_understood_whole_or_refused() {
    let body = Body::PaymentQuery(samples::payment_query());
    let place =
        |rest: &str| format!("/Document/GetTx/TxQryDef/TxCrit/NewCrit/SchCrit/PmtSch/{rest}");
    check(
        &body,
        "<Prty><Cd>HIGH</Cd></Prty>",
        "<Prty><Cd>HIGH</Cd></Prty><Instr>PBEN</Instr>",
        &place("Instr understood FF03"),
    );
    check(
        &body,
        "<PmtSch>",
        "<PmtSch><MsgId>M-1</MsgId>",
        &place("MsgId understood FF03"),
    );
    check(
        &body,
        "<TxId>TX-RTGS-17</TxId>",
        "<TxId>TX-RTGS-17</TxId><TxId>TX-RTGS-18</TxId>",
        &place("TxId once RR10"),
    );
    check(
        &body,
        "<PdgAndFnlSts>PDNG</PdgAndFnlSts>",
        "<PdgSts>SSPD</PdgSts>",
        &place("Sts/PmtInstrSts/PdgSts fixed-value CH16"),
    );
    check(
        &body,
        "<BdryAmt>1.00<",
        "<BdryAmt>75000000000.01<",
        &place("IntrBkSttlmAmt/ImpldCcyAndAmtRg/Amt/FrToAmt/ToAmt/BdryAmt amounts-rise AM12"),
    );
    check(
        &body,
        "<PmtSch>",
        "<PmtTo><Ctry>KZ</Ctry></PmtTo><PmtSch>",
        "/Document/GetTx/TxQryDef/TxCrit/NewCrit/SchCrit/PmtTo understood FF03",
    );
}

#[test]
fn changes_of_payments_name_one_payment_and_what_changes() {
    let body = Body::PaymentChange(samples::payment_change());
    let place = |rest: &str| format!("/Document/ModfyTx/Mod/{rest}");
    check(
        &body,
        "<NewPmtValSet>",
        "<NewPmtValSet><Instr>PBEN</Instr>",
        &place("NewPmtValSet/Instr understood FF03"),
    );
    check(
        &body,
        "<Cd>HIGH</Cd>",
        "<Cd>URGT</Cd>",
        &place("NewPmtValSet/Prty/Cd fixed-value CH16"),
    );
    check(
        &body,
        "<UETR>f47ac10b-58cc-4372-a567-0e02b2c3d479</UETR>",
        "<TxId>TX-RTGS-17</TxId>",
        &place("PmtId/UETR mandatory CH21"),
    );
    let nothing = Body::PaymentChange(torap_iso20022::view::PaymentChange {
        from_ns: None,
        till_ns: None,
        ..samples::payment_change()
    });
    check(
        &nothing,
        "<Prty><Cd>HIGH</Cd></Prty>",
        "",
        &place("NewPmtValSet/Prty/Cd something-changes FF03"),
    );
}
