//! A real-time policy for the journal's threads.
//!
//! On busy cores a thread that waits for the disk gets its core back only after a scheduler tick (4 ms), so that every sync seems
//! slow. The threads that write and sync use little time; a real-time policy lets them go first.

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Above every ordinary thread; below what the kernel runs at 50.
const PRIORITY: u8 = 10;

/// Gives the calling thread the policy if it is one that a payment waits for. Not being allowed to is no failure.
pub(super) fn raise(name: &'static str) {
    if !matches!(name, "journal" | "journal-sync") {
        return;
    }
    let Ok(priority) = ThreadPriorityValue::try_from(PRIORITY) else {
        return;
    };
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    let set = set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Crossplatform(priority),
        policy,
    );
    if let Err(error) = set {
        tracing::info!(
            thread = name,
            ?error,
            "no real-time policy: syncs are slower on busy cores; allow it with CAP_SYS_NICE or LimitRTPRIO"
        );
    }
}
