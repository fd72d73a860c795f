//! `torap simulate`: one seed of the simulator.

use super::{Ending, Failure, print_line};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The seed; everything else follows from it
    #[arg(long)]
    seed: u64,
    /// Payments to send
    #[arg(long, default_value_t = torap_simulator::PAYMENTS, value_parser = clap::value_parser!(u64).range(1..))]
    payments: u64,
    /// Simulated minutes to spread them over
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: Option<u64>,
    /// Kinds of faults to leave out, to see which one it takes
    #[arg(long, value_delimiter = ',', value_parser = fault)]
    without: Vec<torap_simulator::Fault>,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending, Failure> {
    // A panic is a finding that the report tells.
    std::panic::set_hook(Box::new(|_| {}));
    let report = torap_simulator::simulate(&torap_simulator::Options {
        seed: arguments.seed,
        payments: arguments.payments,
        minutes: arguments.minutes,
        without: arguments.without,
    });
    let line = serde_json::to_string(&report).map_err(|error| error.to_string())?;
    print_line(&line)?;
    match report.verdict {
        torap_simulator::Verdict::Failed => Ok(Ending::Refused),
        torap_simulator::Verdict::Ok | torap_simulator::Verdict::Detected => Ok(Ending::Done),
    }
}

fn fault(name: &str) -> Result<torap_simulator::Fault, String> {
    torap_simulator::Fault::parse(name).ok_or_else(|| {
        let known: Vec<&str> = torap_simulator::Fault::ALL
            .iter()
            .map(|fault| fault.name())
            .collect();
        format!("none of {}", known.join(", "))
    })
}
