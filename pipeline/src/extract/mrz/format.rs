//! Where each field of each format stands, and what characters may stand there.

use super::super::parse::text::{digit_like, letter_like};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MrzFormat {
    Td1,
    Td2,
    Td3,
}

/// What a place may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter or the filler.
    Letter,
    /// A digit, or the filler where the standard lets it stand.
    Digit,
    /// Letter, digit or filler.
    Any,
    Sex,
}

impl MrzFormat {
    pub(super) fn line_count(self) -> usize {
        if self == MrzFormat::Td1 { 3 } else { 2 }
    }

    pub(super) fn line_length(self) -> usize {
        match self {
            MrzFormat::Td1 => 30,
            MrzFormat::Td2 => 36,
            MrzFormat::Td3 => 44,
        }
    }

    /// The class of a place, given the issuing state: Spain's numbers have a known form.
    pub(super) fn class(self, line: usize, place: usize, spanish: bool) -> Class {
        match (self, line) {
            (MrzFormat::Td1, 0) => td1_first(place, spanish),
            (MrzFormat::Td1, 1) => match place {
                0..=6 | 8..=14 | 29 => Class::Digit,
                7 => Class::Sex,
                15..=17 => Class::Letter,
                _ => Class::Any,
            },
            (_, 0) | (MrzFormat::Td1, _) => Class::Letter,
            (_, _) => two_line_second(place, self.line_length(), spanish),
        }
    }
}

fn td1_first(place: usize, spanish: bool) -> Class {
    match place {
        0..=4 => Class::Letter,
        14 => Class::Digit,
        5 | 23 if spanish => Class::Letter,
        8..=13 | 16..=22 if spanish => Class::Digit,
        _ => Class::Any,
    }
}

fn two_line_second(place: usize, length: usize, spanish: bool) -> Class {
    match place {
        0 | 1 if spanish => Class::Letter,
        3..=8 if spanish => Class::Digit,
        9 | 13..=19 | 21..=27 => Class::Digit,
        10..=12 => Class::Letter,
        20 => Class::Sex,
        _ if place + 1 == length => Class::Digit,
        _ => Class::Any,
    }
}

impl Class {
    /// The character that this one is read for at such a place; `None` when it is none.
    pub(super) fn settle(self, ch: char) -> Option<char> {
        if ch == '<' {
            return Some('<');
        }
        match self {
            Class::Letter => letter_like(ch),
            Class::Digit => digit_like(ch),
            Class::Any => Some(ch.to_ascii_uppercase()).filter(char::is_ascii_alphanumeric),
            Class::Sex => match ch.to_ascii_uppercase() {
                'M' | 'N' | 'H' | 'W' => Some('M'),
                'F' | 'P' | 'E' | 'T' => Some('F'),
                'X' | 'K' | 'C' => Some('<'),
                _ => None,
            },
        }
    }

    /// Other characters of the class that have the same shape, for places whose runner-ups do not
    /// help.
    pub(super) fn look_alikes(self, ch: char) -> &'static [char] {
        if self != Class::Any {
            return &[];
        }
        match ch {
            '0' => &['O', 'D', 'Q'],
            'O' | 'D' | 'Q' => &['0'],
            '1' => &['I'],
            'I' => &['1'],
            '2' => &['Z'],
            'Z' => &['2'],
            '5' => &['S'],
            'S' => &['5'],
            '8' => &['B'],
            'B' => &['8'],
            '6' => &['G'],
            'G' => &['6'],
            _ => &[],
        }
    }
}

/// The check digit of a field: weights 7, 3, 1; letters count from 10, fillers 0 (Doc 9303-3, 4.9).
pub(super) fn check_digit(field: &str) -> char {
    let sum: u32 = field
        .chars()
        .zip([7, 3, 1].iter().cycle())
        .map(|(ch, weight)| if ch == '<' { 0 } else { ch.to_digit(36).unwrap_or(0) * weight })
        .sum();
    char::from_digit(sum % 10, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_the_standard() {
        assert_eq!(check_digit("520727"), '3');
        assert_eq!(check_digit("AB2134<<<"), '5');
        assert_eq!(check_digit("HA672242<658022549601086<<<<<<<<<<<<<<0"), '8');
    }
}
