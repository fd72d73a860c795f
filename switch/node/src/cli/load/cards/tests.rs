use super::super::tests::parse;
use super::*;

#[test]
fn flags_of_the_card_rail_are_checked() {
    let refused = |line: &str, word: &str| match check(&parse(line).unwrap()) {
        Err(Failure::Usage(text)) => assert!(text.contains(word), "{line}: {text}"),
        other => panic!("{line}: {other:?}"),
    };
    refused("--mac", "--mac: only with --rail card");
    refused("--links 2", "--links: only with --rail card");
    refused("--count 100", "--count: only with --rail card");
    refused("--rail card --count 5", "--count: not between");
    refused("--pin-percent 1", "--pin-percent: only with --rail card");
    refused("--rail card --pin-percent 101", "--pin-percent");
    refused("--rail card --links 17", "--links: 17 is not between");
    refused("--rail card --banks 1", "--banks: 1 is not between");
    refused("--rail card --rate 10 --overload", "--overload");
    for line in [
        "",
        "--rail card",
        "--rail card --own-switch --mac --links 2",
    ] {
        assert_eq!(check(&parse(line).unwrap()).map_err(|_| line), Ok(()));
    }
}

#[test]
fn the_own_switch_gets_a_card_side_that_it_accepts() {
    let check = |line: &str, has_mac: bool, key_holders: usize| {
        let setup = setup(&parse(line).unwrap());
        assert_eq!(setup.key_holders.len(), key_holders);
        let config = Config::parse(&setup.configuration).unwrap();
        let card = config.card.unwrap();
        assert_eq!(card.link.len(), 32);
        let tables: toml::Value = toml::from_str(&setup.network).unwrap();
        let members = tables["card"]["member"].as_array().unwrap();
        let macs = members
            .iter()
            .filter(|row| row["mac"].as_bool() == Some(true));
        assert_eq!(macs.count() == 32, has_mac);
        let tables: crate::serve::CardTables = tables["card"].clone().try_into().unwrap();
        assert_eq!((tables.member.len(), tables.bin.unwrap().len()), (32, 32));
    };
    check("--rail card --banks 32", false, 32);
    check("--rail card --banks 32 --mac", true, 32);
    check("--rail card --banks 32 --pin-percent 0", false, 0);
}

#[test]
fn a_member_s_own_door_goes_before_the_shared_one() {
    let config = |text: &str| Config::parse(text).unwrap();
    let text = "[card]\nlisten = \"127.0.0.1:7802\"\n[[card.link]]\nparticipant = \"ONE\"\nlisten = \"127.0.0.1:7803\"\nheader = \"ascii-4\"\n";
    let (own, framing) = door(&config(text), "ONE").unwrap();
    assert_eq!((own.port(), framing.header.name()), (7803, "ascii-4"));
    assert_eq!(door(&config(text), "TWO").unwrap().0.port(), 7802);
    assert!(door(&config(""), "ONE").unwrap_err().contains("[card]"));
    let nowhere = "[card]\nlisten = \"127.0.0.1:0\"\n";
    assert!(door(&config(nowhere), "ONE").unwrap_err().contains("ONE"));
}
