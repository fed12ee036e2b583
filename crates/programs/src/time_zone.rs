//! A time zone whose clock shows another day and another year than UTC.

/// The shift from UTC in seconds: 400 days, one hour, one minute and one second, so that every part of a date differs.
const SHIFT: i32 = 400 * 86_400 + 3_600 + 60 + 1;

/// The abbreviation of the zone, with its end.
const NAME: &[u8] = b"SHF\0";

/// Returns the file of the time zone: version 1 of the format `TZif`, with one local time and no transitions.
pub(crate) fn shifted() -> Vec<u8> {
    let mut file = b"TZif\0".to_vec();
    file.extend([0; 15]);
    // The numbers of indicators of UTC, indicators of standard time, leap seconds, transitions, local times, characters.
    for count in [0_u32, 0, 0, 0, 1, 4] {
        file.extend(count.to_be_bytes());
    }
    file.extend(SHIFT.to_be_bytes());
    // Not daylight saving time; the name starts at 0.
    file.extend([0, 0]);
    file.extend(NAME);
    file
}
