use super::*;

/// A file of two banks; `second` are the keys of the second one's row behind its code.
fn network(second: &str) -> String {
    format!(
        "switch_bic = \"TORPKZKA\"\n\
         [[participant]]\ncode = \"HSBK\"\nname = \"Halyk\"\nbics = [\"HSBKKZKX\"]\nbank_codes = [\"601\"]\nfund = \"10.00\"\n\
         [[participant]]\ncode = \"CASP\"\nname = \"Kaspi\"\n{second}\n\
         [[participant]]\ncode = \"SMALL\"\nname = \"Small\"\nbics = [\"SMALKZKA\"]\nsponsor = \"CASP\"\n"
    )
}

fn tried(second: &str) -> Result<(), String> {
    let plan = Plan::parse(&network(second)).unwrap();
    trial::run(&plan.placed())
}

#[test]
fn a_row_that_the_engine_refuses_is_named_with_key_and_rule() {
    let right = "bics = [\"CASPKZKA\"]\nbank_codes = [\"722\"]";
    assert_eq!(tried(right), Ok(()));
    for (second, expected) in [
        (
            "bics = [\"CASPKZKA\"]\nbank_codes = [\"601\"]",
            "bank_codes: `601` is that of HSBK above",
        ),
        (
            "bics = [\"HSBKKZKXALA\"]",
            "bics: `HSBKKZKXALA` is the institution of HSBK above",
        ),
        (
            "bics = [\"TORPKZKA\"]",
            "bics: `TORPKZKA` is the switch's own institution",
        ),
        ("bics = []", "bics: a participant has at least one"),
        (
            "bics = [\"CASPKZKA\"]\nfloor = \"2.00\"\nceiling = \"1.00\"",
            "ceiling: must be above the floor",
        ),
    ] {
        assert_eq!(
            tried(second),
            Err(format!("participant[1] CASP: {expected}")),
            "{second}"
        );
    }
}

#[test]
fn a_sponsor_has_none_and_who_has_one_is_not_funded() {
    let sponsored = "bics = [\"CASPKZKA\"]\nsponsor = \"HSBK\"";
    let expected =
        "participant[2] SMALL: sponsor: `CASP` has a sponsor itself, so it cannot be one";
    assert_eq!(tried(sponsored), Err(expected.into()));
    let funded = format!("{sponsored}\nfund = \"1.00\"");
    let expected = "participant[1] CASP: fund: only who has no sponsor has a position to fund";
    assert_eq!(tried(&funded), Err(expected.into()));
}

#[test]
fn numbers_go_by_code() {
    let plan = Plan::parse(&network("bics = [\"CASPKZKA\"]")).unwrap();
    let (mut engine, mut output) = (Engine::new(), torap_engine::Output::new());
    for (number, placed) in (1..).zip(plan.placed()) {
        let stamp = torap_engine::Stamp {
            position: torap_domain::Position::new(number),
            time: torap_domain::Time::EPOCH,
        };
        engine.apply(stamp, &placed.command, &mut output);
    }
    let views: Vec<_> = engine.participant_views().collect();
    let codes: Vec<_> = views.iter().map(|view| view.code.as_str()).collect();
    assert_eq!(codes, ["HSBK", "CASP", "SMALL"]);
    assert_eq!(views[2].sponsor, Some(views[1].id));
}

#[test]
fn nothing_is_written_when_a_row_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::choose(Some(dir.path()));
    let plan = Plan::parse(&network("bics = [\"HSBKKZKX\"]")).unwrap();
    let error = plan.into_commands(&folder).unwrap_err();
    assert!(
        error.contains("network.toml: participant[1] CASP: bics"),
        "{error}"
    );
    assert!(!folder.secret("HSBK").exists());
}
