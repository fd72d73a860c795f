//! Disks that are full, or that fail: the switch says so and ends, nothing that was not written is told, and the next start goes on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;
use torap_node::{
    control::Request,
    demo::{Day, Lab, Options},
};

use crate::{
    load::{Paid, Payers, reconcile, without_outcome},
    program::program,
};

/// The smallest segment that the journal takes.
const SEGMENT_MIB: u64 = 17;
/// Room for the first segment and part of the second one, beside the index.
const SMALL_DISK: &str = "size=28m";
/// The same disk after somebody has bought a larger one.
const LARGE_DISK: &str = "remount,size=512m";

/// A file system of its own, in memory; gone when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path) -> Result<SmallDisk, String> {
        fs::create_dir(path).map_err(|error| error.to_string())?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SMALL_DISK, "tmpfs"])
            .arg(path)
            .output()
            .map_err(|error| format!("mount: {error}"))?;
        if output.status.success() {
            Ok(SmallDisk(path.to_path_buf()))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_string())
        }
    }

    fn grow(&self) {
        let status = Command::new("mount")
            .args(["-o", LARGE_DISK])
            .arg(&self.0)
            .status()
            .expect("mount runs");
        assert!(status.success(), "the disk cannot be made larger");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is being ended may still hold a file.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Nothing lost, nothing doubled, and the switch serves.
fn settles(day: &Day, paid: &[Paid]) {
    let reconciled = reconcile(day, paid);
    assert_eq!(reconciled.lost, Vec::<String>::new());
    assert_eq!(reconciled.doubled, Vec::<String>::new());
    assert!(reconciled.settled > 0, "{reconciled:?}");
    let status = day.lab.ctl(&Request::Status).expect("status");
    assert_eq!(status["conserved"], true);
}

#[test]
fn a_full_disk_ends_the_switch_with_its_reason_and_nothing_is_lost() {
    let dir = TempDir::new().expect("temporary folder");
    let disk = match SmallDisk::mount(&dir.path().join("disk")) {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped: a file system of its own needs root: {reason}");
            return;
        }
    };
    let options = Options {
        segment_mib: SEGMENT_MIB,
        ..Options::new(program(), disk.0.join("lab"))
    };
    let lab = Lab::start(options).unwrap_or_else(|error| panic!("{error}"));
    let mut day = Day::new(lab);
    let payers = Payers::start(&day.lab);
    let (status, story) = day.lab.wait_for_end().expect("the disk runs full");
    assert_eq!(status.code(), Some(1), "{story}");
    assert!(
        story.contains("no room") && story.contains("No space left on device"),
        "{story}"
    );
    // Still full: it says so again, or runs as far as it gets; either way it changes nothing that was told.
    if let Err(refusal) = day.lab.start_switch() {
        assert!(refusal.contains("No space left on device"), "{refusal}");
    }
    let _ = day.lab.kill_switch();
    disk.grow();
    day.lab.start_switch().expect("there is room now");
    day.lab.wait_for_links().expect("links");
    let before = payers.count();
    payers.wait_for(before + 100);
    let paid = payers.finish();
    settles(&day, &paid);
    eprintln!(
        "full disk: {} payments, lost 0, doubled 0; `{}`",
        paid.len(),
        story.lines().last().unwrap_or_default()
    );
}

/// The shim, compiled by the system's C compiler.
fn shim(dir: &Path) -> PathBuf {
    let library = dir.join("fault.so");
    let output = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg("e2e/shim/fault.c")
        .stdin(Stdio::null())
        .output()
        .expect("cc runs; `cargo xtask test` installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    library
}

/// Under load, arms `fault`, waits for the end, disarms it, restarts and reconciles. The log of the ended switch must contain `says`.
fn fails_and_goes_on(fault: &str, says: &str) {
    let dir = TempDir::new().expect("temporary folder");
    let armed = dir.path().join("fault");
    let launcher = vec![
        "env".into(),
        format!("LD_PRELOAD={}", shim(dir.path()).display()).into(),
        format!("TORAP_FAULT={}", armed.display()).into(),
    ];
    let options = Options {
        launcher,
        segment_mib: SEGMENT_MIB,
        ..Options::new(program(), dir.path().join("lab"))
    };
    let lab = Lab::start(options).unwrap_or_else(|error| panic!("{error}"));
    let mut day = Day::new(lab);
    let payers = Payers::start(&day.lab);
    payers.wait_for(200);
    fs::write(&armed, fault).expect("armed");
    let (status, story) = day.lab.wait_for_end().expect("the switch ends by itself");
    assert_eq!(status.code(), Some(1), "{story}");
    assert!(story.contains(says), "{story}");
    let in_flight = without_outcome(&day.lab);
    fs::remove_file(&armed).expect("disarmed");
    day.lab.start_switch().expect("restart");
    day.lab.wait_for_links().expect("links");
    let before = payers.count();
    payers.wait_for(before + 100);
    let paid = payers.finish();
    settles(&day, &paid);
    eprintln!(
        "{fault}: {} payments, in flight at the failure {in_flight}, lost 0, doubled 0; `{}`",
        paid.len(),
        story.lines().last().unwrap_or_default()
    );
}

#[test]
fn a_failed_sync_ends_the_switch_and_nothing_unwritten_was_told() {
    fails_and_goes_on("sync", "sync");
}

#[test]
fn a_failed_write_ends_the_switch_and_nothing_unwritten_was_told() {
    fails_and_goes_on("write", "write");
}

#[test]
fn a_write_without_room_ends_the_switch_and_nothing_unwritten_was_told() {
    fails_and_goes_on("room", "No space left on device");
}
