//! Unix milliseconds as the texts that venues print.

/// `2026-09-05T22:10:29.562Z`.
pub(crate) fn rfc3339(millis: u64) -> String {
    let (days, in_day) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = date(days as i64);
    let (hour, minute, second) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", in_day % 1_000)
}

/// Days since 1970 as a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + (month <= 2) as i64, month, day)
}

/// The milliseconds of a text of exactly that form.
pub(crate) fn millis(text: &str) -> Option<u64> {
    let shape =
        |text: &str| text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect::<Vec<_>>();
    if shape(text) != b"0000-00-00T00:00:00.000Z" {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (month, day) = (number(5, 7)?, number(8, 10)?);
    let year = number(0, 4)? - i64::from(month <= 2);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let days = era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + of_year - 719_468;
    let seconds = ((days * 24 + number(11, 13)?) * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    u64::try_from(seconds * 1_000 + number(20, 23)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{millis, rfc3339};

    #[test]
    fn reads_dates() {
        for moment in [0, 1_795_168_800_123, 1_709_164_799_999, 1_709_164_800_000, 1_735_689_599_999] {
            assert_eq!(millis(&rfc3339(moment)), Some(moment));
        }
        assert_eq!(millis("2020-12-08T09:08:57Z"), None);
        assert_eq!(millis("2020-12-08T09:08:57.71Z"), None);
    }

    #[test]
    fn prints_dates() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_168_800_123), "2026-11-20T10:00:00.123Z");
        assert_eq!(rfc3339(1_709_164_799_999), "2024-02-28T23:59:59.999Z");
        assert_eq!(rfc3339(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
    }
}
