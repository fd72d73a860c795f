//! Texts of QR codes: what is read is written so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use torap_domain::qr::QrCode;

fuzz_target!(|text: &str| {
    if let Ok(code) = QrCode::decode(text) {
        let written = code.encode();
        assert_eq!(QrCode::decode(&written), Ok(code), "{written}");
    }
});
