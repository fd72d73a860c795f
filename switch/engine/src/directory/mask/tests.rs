use super::mask_name;

#[test]
fn shows_the_given_name_and_initials() {
    let cases = [
        ("ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ", "СЕРГЕЙ П. И."),
        ("Иванов Сергей", "Сергей И."),
        ("  Әбенова   Қарлығаш\tНұрланқызы ", "Қарлығаш Н. Ә."),
        ("Смит Анна-Мария О'Нил", "Анна-Мария О. С."),
        ("Иванов Сергей (старший) —", "Сергей с. И."),
        ("Madonna", "M."),
        ("—", ""),
        ("", ""),
    ];
    for (name, masked) in cases {
        assert_eq!(mask_name(name).as_str(), masked, "{name}");
    }
}

#[test]
fn what_does_not_fit_is_left_out_whole() {
    // 94 bytes of given name leave no room for a blank, two bytes of letter and a point.
    let given = "С".repeat(47);
    assert_eq!(mask_name(&format!("Иванов {given}")).as_str(), given);
    // 93 bytes and three: a Latin initial fits exactly.
    let given = format!("s{}", "С".repeat(46));
    assert_eq!(
        mask_name(&format!("Ivanov {given}")).as_str(),
        format!("{given} I.")
    );
    // A given name that is too long by itself is cut between letters.
    assert_eq!(mask_name(&format!("Иванов {}", "С".repeat(60))).len(), 96);
}
