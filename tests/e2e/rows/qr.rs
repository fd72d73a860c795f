//! Dynamic QR codes: registration, withdrawal, expiry.

use serde_json::{Value, json};
use torap_bank::{PayOrder, Payee, SentPayment};
use torap_domain::{
    Asset, BankCode, Bic, Iban, Money, QrId, Span, Text, Time,
    qr::{MerchantAccount, QrCode},
};
use torap_node::demo::{Day, Line, Told, customer_of};

use super::{Case, about, go_through, until};

pub(super) const CASES: &[Case] = &[
    Case {
        line: Line {
            title: "a code that has expired while it is being paid",
            rows: &["O-40"],
            run: expired_meanwhile,
        },
        moved: &[("CASP", -40), ("HSBK", 40)],
    },
    Case {
        line: Line {
            title: "another account than the code's",
            rows: &["O-44"],
            run: another_account,
        },
        moved: &[("CASP", -44), ("HSBK", 44)],
    },
    Case {
        line: Line {
            title: "codes that cannot be registered",
            rows: &["O-160", "O-161", "O-162", "O-163", "O-166"],
            run: refused,
        },
        moved: &[],
    },
    Case {
        line: Line {
            title: "a code is withdrawn: free, in flight, paid",
            rows: &["O-39", "O-164", "O-165"],
            run: withdrawn,
        },
        moved: &[("CASP", -65), ("HSBK", 65)],
    },
];

#[test]
fn qr_codes_come_out_as_documented() {
    go_through(CASES);
}

fn now() -> Time {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    Time::from_nanos(u64::try_from(since.as_nanos()).expect("a clock before 2554"))
}

fn in_seconds(seconds: u64) -> Time {
    now().saturating_add(Span::from_secs(seconds))
}

fn shop() -> Result<Iban, String> {
    Ok(customer_of("HSBK", 60)?.iban)
}

fn registration(id: &str, iban: &Iban, amount: &str, expires: Time) -> Value {
    json!({ "command": "qr-register", "id": id, "iban": iban.as_str(), "amount": amount, "expires": expires.to_string() })
}

fn cancel(day: &Day, id: &str) -> Result<String, String> {
    day.command("HSBK", json!({ "command": "qr-cancel", "id": id }))
}

/// Pays a dynamic code to this account.
fn pay(
    day: &Day,
    bank: &str,
    id: &str,
    iban: Iban,
    amount: &str,
    expires: Time,
) -> Result<SentPayment, String> {
    let merchant = MerchantAccount {
        bank: Bic::parse("HSBKKZKX").map_err(|error| error.to_string())?,
        iban,
        merchant_id: Text::truncated("SHOP-60"),
        bin: None,
    };
    let money = Money::parse(amount, Asset::Kzt).map_err(|error| error.to_string())?;
    let id = QrId::parse(id).map_err(|error| error.to_string())?;
    let code = QrCode::new_dynamic(merchant, 5411, "Дүкен", "Алматы", (id, money, expires))
        .map_err(|error| error.to_string())?
        .encode();
    day.pay_with(bank, PayOrder::new(61, Payee::Qr { code }, None))
}

fn expired_meanwhile(day: &mut Day) -> Result<Told, String> {
    let expires = in_seconds(2);
    let registered = day.command("HSBK", registration("ROW-40", &shop()?, "40.00", expires))?;
    day.behave("HSBK", "delay:4000")?;
    let first = pay(day, "CASP", "ROW-40", shop()?, "40.00", expires)?;
    day.wait("HSBK", about("pacs.008", &first))?;
    until("the expiry", || Ok(now() > expires))?;
    let second = pay(day, "IRTY", "ROW-40", shop()?, "40.00", expires)?;
    Ok(Told::new("40.00 twice")
        .check("accepted", registered)
        .check("RJCT AEXR", day.outcome("IRTY", &second)?)
        .check("ACSC", day.outcome("CASP", &first)?))
}

fn another_account(day: &mut Day) -> Result<Told, String> {
    let expires = in_seconds(300);
    let registered = day.command("HSBK", registration("ROW-44", &shop()?, "44.00", expires))?;
    let other = customer_of("HSBK", 61)?.iban;
    let wrong = pay(day, "CASP", "ROW-44", other, "44.00", expires)?;
    let wrong = day.outcome("CASP", &wrong)?;
    let right = pay(day, "CASP", "ROW-44", shop()?, "44.00", expires)?;
    Ok(Told::new("44.00 to another account, then to the code's")
        .check("accepted", registered)
        .check("RJCT BE01", wrong)
        .check("ACSC", day.outcome("CASP", &right)?))
}

fn refused(day: &mut Day) -> Result<Told, String> {
    let (shop, expires) = (shop()?, in_seconds(300));
    let nobodys = BankCode::parse("999").map_err(|error| error.to_string())?;
    let nobodys = Iban::for_kz(nobodys, "0000000000060").map_err(|error| error.to_string())?;
    let kaspis = customer_of("CASP", 60)?.iban;
    let mut told = Told::new("ten registrations");
    for (id, iban, amount, expires, expected) in [
        ("ROW-160", &shop, "160.00", expires, "accepted"),
        ("ROW-160", &shop, "160.00", expires, "accepted"),
        ("ROW-160", &shop, "161.00", expires, "refused entry-exists"),
        (
            "ROW-162",
            &kaspis,
            "1.00",
            expires,
            "refused entry-not-owned",
        ),
        (
            "ROW-162",
            &nobodys,
            "1.00",
            expires,
            "refused unknown-participant",
        ),
        ("ROW-163", &shop, "1.00", now(), "refused qr-expired"),
        (
            "ROW-163",
            &shop,
            "1.00",
            in_seconds(90_000),
            "refused profile-violation",
        ),
        (
            "STATIC",
            &shop,
            "1.00",
            expires,
            "refused profile-violation",
        ),
        (
            "STATIC-166",
            &shop,
            "1.00",
            expires,
            "refused profile-violation",
        ),
    ] {
        let answer = day.command("HSBK", registration(id, iban, amount, expires))?;
        told = told.check(expected, answer);
    }
    Ok(told)
}

fn withdrawn(day: &mut Day) -> Result<Told, String> {
    let expires = in_seconds(300);
    let told = Told::new("65.00").check(
        "accepted",
        day.command("HSBK", registration("ROW-164", &shop()?, "64.00", expires))?,
    );
    let told = told
        .check("accepted", cancel(day, "ROW-164")?)
        .check("refused qr-unknown", cancel(day, "ROW-164")?);
    let gone = pay(day, "CASP", "ROW-164", shop()?, "64.00", expires)?;
    let told = told.check("RJCT IRNR", day.outcome("CASP", &gone)?);
    day.command("HSBK", registration("ROW-165", &shop()?, "65.00", expires))?;
    day.behave("HSBK", "delay:1000")?;
    let sent = pay(day, "CASP", "ROW-165", shop()?, "65.00", expires)?;
    day.wait("HSBK", about("pacs.008", &sent))?;
    let told = told
        .check("refused qr-in-progress", cancel(day, "ROW-165")?)
        .check("ACSC", day.outcome("CASP", &sent)?);
    Ok(told.check("refused qr-already-paid", cancel(day, "ROW-165")?))
}
