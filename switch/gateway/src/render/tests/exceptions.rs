use torap_domain::Span;
use torap_iso20022::{
    view::{Body, CancellationRequest, CancellationStatus, Return, TransactionStatus},
    write,
};

use super::world::{CASP, HSBK, Received, World};
use crate::fixtures::{answer, by_account, payment, payment_return, recall, resolution, written};

/// A world in which the payment of the fixtures has settled.
fn settled() -> World {
    let mut world = World::new();
    world.receive(HSBK, &payment(&by_account()));
    let accepted =
        written(|out| write::status_report(out, None, &answer(TransactionStatus::Acsp, None)));
    world.receive(CASP, &accepted);
    world
}

fn recalled(world: &mut World, request: &CancellationRequest<'_>) -> Vec<Received> {
    world.receive(
        HSBK,
        &written(|out| write::cancellation_request(out, None, request)),
    )
}

/// Status and code of a camt.029 by the switch to HSBK.
fn resolved(received: &[Received]) -> (CancellationStatus, Option<String>) {
    let [one] = received else {
        panic!("{received:?}")
    };
    assert_eq!(one.to, HSBK);
    one.with(|message| {
        let Body::Resolution(resolution) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(
            (
                resolution.assignment.assigner,
                resolution.assignment.assignee
            ),
            ("TORPKZKA", "HSBKKZKX")
        );
        assert_eq!(resolution.original.transaction_id, "TX-1");
        (resolution.status, resolution.reason.map(str::to_owned))
    })
}

#[test]
fn a_return_goes_to_the_payers_bank_and_is_answered_by_its_own_identifier() {
    let mut world = settled();
    let sent = written(|out| write::payment_return(out, None, &payment_return()));
    let received = world.receive(CASP, &sent);
    let forwarded = received.iter().find(|one| one.to == HSBK).unwrap();
    forwarded.with(|message| {
        let Body::Return(returned) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(*returned, payment_return());
    });
    let status = received.iter().find(|one| one.to == CASP).unwrap();
    assert_eq!(status.status(), ("ACSC", None, true));
    status.with(|message| {
        let Body::StatusReport(report) = &message.body else {
            panic!()
        };
        assert_eq!(
            (report.original.transaction_id, report.original.message_id),
            ("RTR-1", Some("CASP-RTR-1"))
        );
        assert_eq!(report.original.message_name, Some("pacs.004.001.11"));
    });
    let repeated = world.receive(CASP, &sent);
    assert_eq!(
        repeated[0].status(),
        ("ACSC", None, true),
        "the first answer again"
    );
    let second = Return {
        message_id: "CASP-RTR-2",
        return_id: "RTR-2",
        ..payment_return()
    };
    let refused = world.receive(
        CASP,
        &written(|out| write::payment_return(out, None, &second)),
    );
    assert_eq!(refused[0].status(), ("RJCT", Some("FF12".into()), false));
    // A recall comes too late now.
    assert_eq!(
        resolved(&recalled(&mut world, &recall())),
        (CancellationStatus::Refused, Some("ARDT".into()))
    );
}

#[test]
fn a_return_of_nothing() {
    let mut world = World::new();
    let refused = world.receive(
        CASP,
        &written(|out| write::payment_return(out, None, &payment_return())),
    );
    assert_eq!(refused[0].status(), ("RJCT", Some("AG09".into()), false));
}

#[test]
fn a_recall_and_its_refusal_pass_through() {
    let mut world = settled();
    let forwarded = recalled(&mut world, &recall());
    assert_eq!(forwarded[0].to, CASP);
    forwarded[0].with(|message| {
        let Body::CancellationRequest(request) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(*request, recall());
    });
    let again = CancellationRequest {
        cancellation_id: "CXL-2",
        ..recall()
    };
    assert_eq!(
        resolved(&recalled(&mut world, &again)).0,
        CancellationStatus::Pending
    );
    let refused = world.receive(
        CASP,
        &written(|out| write::resolution(out, None, &resolution())),
    );
    assert_eq!(refused[0].to, HSBK);
    refused[0].with(|message| {
        let Body::Resolution(answer) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(*answer, resolution());
    });
}

#[test]
fn the_switch_refuses_recalls_itself() {
    let mut world = World::new();
    assert_eq!(
        resolved(&recalled(&mut world, &recall())),
        (CancellationStatus::Refused, Some("NOOR".into()))
    );
    let mut world = settled();
    recalled(&mut world, &recall());
    let unanswered = world.wait(Span::from_secs(40 * 86_400));
    assert_eq!(
        resolved(&unanswered),
        (CancellationStatus::Refused, Some("NOAS".into()))
    );
}
