//! Where payments of which purposes must go, as the operator sets and sees it.

use serde_json::{Value, json};
use torap_domain::{Iban, Knp};
use torap_engine::clearing::{
    ListUse, PURPOSE_ACCOUNTS_MAX, PURPOSE_ROWS_MAX, PurposeRow, are_purposes_sound,
};

use crate::{
    control::{ListForm, PurposeForm, Refusal},
    serve::{control::show, switch::Switch},
};

pub(super) async fn show(switch: &Switch) -> Result<Value, Refusal> {
    let rows = show::ask(switch, |engine| engine.clearing_purposes().to_vec()).await?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let accounts: Vec<&str> = row
                .accounts
                .iter()
                .map(|account| account.as_str())
                .collect();
            json!({
                "from": row.from.to_string(),
                "to": row.to.to_string(),
                "accounts": accounts.join(" "),
                "list": match row.list {
                    ListUse::Required => "required",
                    ListUse::Allowed => "allowed",
                    ListUse::Refused => "none",
                },
            })
        })
        .collect();
    Ok(json!({ "purposes": rows }))
}

/// The rows of a table, in the order of their purposes.
pub(super) fn rows_of(forms: &[PurposeForm]) -> Result<Vec<PurposeRow>, Refusal> {
    let mut rows = Vec::with_capacity(forms.len());
    for (place, form) in forms.iter().enumerate() {
        let refused =
            |key: &str, text: String| Refusal::of_request(format!("purpose[{place}].{key}"), text);
        let knp = |text: &String| {
            Knp::parse(text).map_err(|error| refused("knp", format!("`{text}`: {error}")))
        };
        let (from, to) = match &form.knp[..] {
            [one] => (knp(one)?, knp(one)?),
            [from, to] => (knp(from)?, knp(to)?),
            _ => {
                let text = "one KNP, or the first and the last of a range";
                return Err(refused("knp", text.into()));
            }
        };
        let account = |text: &String| {
            Iban::parse(text).map_err(|error| refused("accounts", format!("`{text}`: {error}")))
        };
        let accounts = form.accounts.iter().map(account);
        let accounts = accounts.collect::<Result<Vec<Iban>, Refusal>>()?;
        if from > to {
            return Err(refused("knp", "a range goes upwards".into()));
        }
        if accounts.is_empty() || accounts.len() > PURPOSE_ACCOUNTS_MAX {
            let text = format!("1 to {PURPOSE_ACCOUNTS_MAX} accounts");
            return Err(refused("accounts", text));
        }
        rows.push(PurposeRow {
            from,
            to,
            accounts,
            list: match form.list {
                ListForm::Required => ListUse::Required,
                ListForm::Allowed => ListUse::Allowed,
                ListForm::None => ListUse::Refused,
            },
        });
    }
    rows.sort_by_key(|row| row.from);
    if !are_purposes_sound(&rows) {
        let text =
            format!("a KNP stands in one row only, and there are at most {PURPOSE_ROWS_MAX}");
        return Err(Refusal::of_request("purpose", text));
    }
    Ok(rows)
}
