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
