use crate::known_answers;
use crate::test_token::with_token;

#[test]
fn known_answers_hold_in_the_token() {
    with_token(
        "token::tests::known_answers_hold_in_the_token",
        |_, token| {
            known_answers::check_all(&token.vault().expect("a vault"));
        },
    );
}
