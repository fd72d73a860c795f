//! `torap qr encode|decode`: national QR codes as text, PNG and terminal picture.

use std::{
    fs::File,
    io::{BufWriter, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use qrcode::{Color, EcLevel, QrCode as Matrix, render::unicode};
use torap_domain::{
    Asset, Bic, Iban, IinBin, Money, QrId, Text, Time,
    qr::{Initiation, LanguageTemplate, MerchantAccount, QR_CHARACTERS_MAX, QrCode, QrFields},
};

use super::{Ending, Failure, print_line};

/// Light border around the code, in modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;
/// Side of a module in the PNG, in pixels.
const MODULE_PIXELS: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a code; prints its text
    Encode(Box<Encode>),
    /// Read a code's text (from the argument, or standard input with `-`); prints JSON
    Decode { text: String },
}

#[derive(Debug, Args)]
struct Encode {
    /// BIC of the merchant's bank
    #[arg(long)]
    bank: String,
    /// The merchant's account
    #[arg(long)]
    iban: String,
    /// The merchant's identifier at its bank
    #[arg(long)]
    merchant_id: String,
    /// The merchant's BIN or IIN
    #[arg(long)]
    bin: Option<String>,
    /// Merchant category code, four digits
    #[arg(long)]
    mcc: String,
    /// The merchant's name, at most 25 characters
    #[arg(long)]
    name: String,
    /// At most 15 characters
    #[arg(long)]
    city: String,
    /// Amount in tenge, e.g. 1250.00
    #[arg(long)]
    amount: Option<String>,
    /// Identifier of a dynamic code; needs --amount and --expires
    #[arg(long, requires = "amount", requires = "expires")]
    id: Option<String>,
    /// End of a dynamic code's life, with offset, e.g. 2026-11-21T18:00:00+05:00
    #[arg(long, requires = "id")]
    expires: Option<String>,
    /// Language of --local-name, e.g. kk
    #[arg(long, requires = "local_name")]
    language: Option<String>,
    /// The name in that language
    #[arg(long, requires = "language")]
    local_name: Option<String>,
    /// The city in that language
    #[arg(long, requires = "language")]
    local_city: Option<String>,
    /// Also write a PNG picture
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Also print the picture to the terminal (standard error)
    #[arg(long)]
    picture: bool,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending, Failure> {
    match arguments.command {
        Command::Encode(encode) => {
            let code = encode.code().map_err(Failure::Usage)?;
            let text = code.encode();
            let matrix = Matrix::with_error_correction_level(text.as_bytes(), EcLevel::M).map_err(
                |error| Failure::Failed(format!("the text does not fit a QR code: {error}")),
            )?;
            if let Some(path) = &encode.png {
                write_png(path, &matrix)?;
            }
            if encode.picture {
                let picture = matrix.render::<unicode::Dense1x2>().build();
                // The picture is for a person; standard output is for the text alone.
                tracing::info!("\n{picture}");
            }
            print_line(&text)?;
            Ok(Ending::Done)
        }
        Command::Decode { text } => decode(&text),
    }
}

fn decode(argument: &str) -> Result<Ending, Failure> {
    let text = if argument == "-" {
        read_standard_input()?
    } else {
        argument.to_string()
    };
    match QrCode::decode(text.trim_end_matches(['\r', '\n'])) {
        Ok(code) => {
            print_line(&json(code.fields()).to_string())?;
            Ok(Ending::Done)
        }
        Err(error) => {
            print_line(&format!("refused {error}"))?;
            Ok(Ending::Refused)
        }
    }
}

fn read_standard_input() -> Result<String, Failure> {
    // Four bytes a character, and room to notice a text that is too long.
    let most = QR_CHARACTERS_MAX as u64 * 4 + 4;
    let mut text = String::new();
    std::io::stdin()
        .take(most)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    Ok(text)
}

impl Encode {
    fn code(&self) -> Result<QrCode, String> {
        let merchant = MerchantAccount {
            bank: Bic::parse(&self.bank).map_err(|error| format!("--bank: {error}"))?,
            iban: Iban::parse(&self.iban).map_err(|error| format!("--iban: {error}"))?,
            merchant_id: Text::try_from(self.merchant_id.as_str())
                .map_err(|error| format!("--merchant-id: {error}"))?,
            bin: self
                .bin
                .as_deref()
                .map(IinBin::parse)
                .transpose()
                .map_err(|error| format!("--bin: {error}"))?,
        };
        let mcc = self
            .mcc
            .parse()
            .ok()
            .filter(|_| self.mcc.len() == 4)
            .ok_or("--mcc: four digits")?;
        let amount = self
            .amount
            .as_deref()
            .map(|text| Money::parse(text, Asset::Kzt))
            .transpose();
        let language = match (&self.language, &self.local_name) {
            (Some(language), Some(name)) => Some(LanguageTemplate {
                language: Text::try_from(language.as_str())
                    .map_err(|error| format!("--language: {error}"))?,
                name: name.clone(),
                city: self.local_city.clone(),
            }),
            _ => None,
        };
        let id = self
            .id
            .as_deref()
            .map(QrId::parse)
            .transpose()
            .map_err(|error| format!("--id: {error}"))?;
        QrCode::new(QrFields {
            initiation: if id.is_some() {
                Initiation::Dynamic
            } else {
                Initiation::Static
            },
            merchant,
            mcc,
            amount: amount.map_err(|error| format!("--amount: {error}"))?,
            name: self.name.clone(),
            city: self.city.clone(),
            language,
            id,
            expiry: self
                .expires
                .as_deref()
                .map(Time::parse)
                .transpose()
                .map_err(|error| format!("--expires: {error}"))?,
            unknown: Vec::new(),
        })
        .map_err(|error| error.to_string())
    }
}

fn json(fields: &QrFields) -> serde_json::Value {
    let amount = fields.amount.map(|amount| {
        let mut text = Vec::new();
        amount.write_decimal(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    serde_json::json!({
        "initiation": match fields.initiation { Initiation::Static => "static", Initiation::Dynamic => "dynamic" },
        "bank": fields.merchant.bank.as_str(),
        "iban": fields.merchant.iban.as_str(),
        "merchant_id": fields.merchant.merchant_id.as_str(),
        "bin": fields.merchant.bin.map(|bin| bin.to_string()),
        "mcc": format!("{:04}", fields.mcc),
        "amount": amount,
        "name": fields.name,
        "city": fields.city,
        "language": fields.language.as_ref().map(|template| template.language.as_str()),
        "local_name": fields.language.as_ref().map(|template| template.name.as_str()),
        "local_city": fields.language.as_ref().and_then(|template| template.city.as_deref()),
        "id": fields.id.as_ref().map(|id| id.as_str().to_string()),
        "expires": fields.expiry.map(|expiry| expiry.to_string()),
        "unknown": fields.unknown.iter().map(|field| format!("{:?} {:02} {}", field.level, field.tag, field.value)).collect::<Vec<_>>(),
    })
}

fn write_png(path: &Path, matrix: &Matrix) -> Result<(), Failure> {
    let side = (matrix.width() + 2 * QUIET_ZONE) * MODULE_PIXELS;
    let mut pixels = vec![255_u8; side * side];
    for y in 0..matrix.width() {
        for x in 0..matrix.width() {
            if matrix[(x, y)] == Color::Dark {
                for row in 0..MODULE_PIXELS {
                    let start = ((y + QUIET_ZONE) * MODULE_PIXELS + row) * side
                        + (x + QUIET_ZONE) * MODULE_PIXELS;
                    pixels[start..start + MODULE_PIXELS].fill(0);
                }
            }
        }
    }
    let fail =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let file = File::create(path).map_err(|error| fail(&error))?;
    let pixels_a_side = u32::try_from(side).map_err(|error| fail(&error))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), pixels_a_side, pixels_a_side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| fail(&error))?;
    writer
        .write_image_data(&pixels)
        .map_err(|error| fail(&error))?;
    writer.finish().map_err(|error| fail(&error))
}
