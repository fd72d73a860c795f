mod keys;
mod macs;
mod pins;
mod usages;

use torap_hsm::{KeyAlgorithm, KeyMode, KeyRef};

use super::*;
use crate::known_answers::hex;
use crate::soft::SoftVault;
use crate::test_token::with_token;

const PAN: &[u8] = b"9999500000000004";
const FORMATS: [PinFormat; 6] = [
    PinFormat::Iso0,
    PinFormat::Iso1,
    PinFormat::Other(2),
    PinFormat::Iso3,
    PinFormat::Iso4,
    PinFormat::Other(9),
];

fn soft() -> Machine<SoftVault> {
    let vault = SoftVault::with_master(&[7; 32], [1; 32]).expect("a vault");
    Machine::new(vault).expect("a machine")
}

/// Runs a check in memory and in the token.
fn on_both(test: &str, check: fn(&mut dyn Executes)) {
    check(&mut soft());
    with_token(&format!("machine::tests::{test}"), |_, token| {
        let vault = token.vault().expect("a vault");
        check(&mut Machine::new(vault).expect("a machine"));
    });
}

/// What the checks need of a machine, whatever its vault.
trait Executes {
    fn execute(&mut self, request: &Request<'_>) -> Result<Response, Refusal>;
    /// A key with known bytes under the master key.
    fn seal(&mut self, usage: KeyUsage, algorithm: KeyAlgorithm, clear: &str) -> KeyRef;
    fn keys_cached(&self) -> usize;
}

impl<V: Vault> Executes for Machine<V> {
    fn execute(&mut self, request: &Request<'_>) -> Result<Response, Refusal> {
        Machine::execute(self, request)
    }

    fn seal(&mut self, usage: KeyUsage, algorithm: KeyAlgorithm, clear: &str) -> KeyRef {
        let attributes = Attributes {
            usage,
            algorithm,
            mode: KeyMode::Any,
            key_version: *b"00",
            export: KeyExport::Trusted,
        };
        let clear = ClearKey::new(&hex(clear)).expect("16 to 32 bytes");
        let key = Machine::seal(self, &attributes, &clear);
        key.expect("a key that fits its usage").block
    }

    fn keys_cached(&self) -> usize {
        self.keys.len()
    }
}

fn from_iso_0<'a>(key: &'a KeyRef, block: &PinBlock) -> PinSource<'a> {
    PinSource {
        key: key.block(),
        format: PinFormat::Iso0,
        block: block.clone(),
    }
}

fn iso_0(key: &KeyRef) -> PinTarget<'_> {
    PinTarget {
        key: key.block(),
        format: PinFormat::Iso0,
    }
}

impl dyn Executes + '_ {
    fn status(&mut self, request: &Request<'_>) -> Status {
        match self.execute(request) {
            Err(Refusal::Status(status)) => status,
            other => panic!("{request:?} came to {other:?}"),
        }
    }

    fn generate(&mut self, usage: KeyUsage, cipher: Cipher, mode: KeyMode) -> KeyRef {
        self.generate_spec(usage, cipher, 128, mode, KeyExport::Trusted)
            .block
    }

    fn generate_spec(
        &mut self,
        usage: KeyUsage,
        cipher: Cipher,
        bits: u16,
        mode: KeyMode,
        export: KeyExport,
    ) -> NewKey {
        let algorithm = match cipher {
            Cipher::Tdes => KeyAlgorithm::Tdes,
            Cipher::Aes => KeyAlgorithm::Aes,
        };
        let answer = self.execute(&Request::GenerateKey(KeySpec {
            usage,
            algorithm,
            bits,
            mode,
            export,
        }));
        match answer {
            Ok(Response::GenerateKey(key)) => key,
            other => panic!("{usage:?} {cipher:?} {bits} {mode:?}: {other:?}"),
        }
    }

    /// A PIN block made by translation from one in format 1, in which anything may stand.
    fn pin_block(&mut self, key: &KeyRef, format: PinFormat, pin: &str) -> PinBlock {
        let terminal = "0123456789ABCDEFFEDCBA9876543210";
        let terminal_key = self.seal(KeyUsage::PinEncryption, KeyAlgorithm::Tdes, terminal);
        let vault = SoftVault::new([5; 32]);
        let own = vault.load(Cipher::Tdes, &hex(terminal)).expect("a key");
        let pin = pin_block::Pin::new(pin.as_bytes()).expect("a PIN");
        let pan = Pan::parse(PAN).expect("a PAN");
        let block = pin_block::encode(&vault, &own, PinFormat::Iso1, &pin, pan);
        let source = PinSource {
            key: terminal_key.block(),
            format: PinFormat::Iso1,
            block: block.expect("a block"),
        };
        self.translate(source, key, format).expect("a translation")
    }

    fn translate(
        &mut self,
        from: PinSource<'_>,
        key: &KeyRef,
        format: PinFormat,
    ) -> Result<PinBlock, Refusal> {
        let request = Request::TranslatePin {
            from,
            to: PinTarget {
                key: key.block(),
                format,
            },
            pan: Pan::parse(PAN).expect("a PAN"),
        };
        match self.execute(&request)? {
            Response::TranslatePin(block) => Ok(block),
            other => panic!("{other:?}"),
        }
    }

    fn verify_pin(
        &mut self,
        key: &KeyRef,
        format: PinFormat,
        block: PinBlock,
        pvk: &KeyRef,
        pvv: Pvv,
    ) -> Result<Verdict, Refusal> {
        let request = Request::VerifyPin {
            from: PinSource {
                key: key.block(),
                format,
                block,
            },
            pan: Pan::parse(PAN).expect("a PAN"),
            pvk: pvk.block(),
            pvv,
        };
        match self.execute(&request)? {
            Response::VerifyPin(verdict) => Ok(verdict),
            other => panic!("{other:?}"),
        }
    }
}
