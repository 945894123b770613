//! Identifiers with their check characters: DNI, NIE, CIF, IBAN, CUPS, social security numbers, MRZ.

use crate::dates::Date;
use crate::dice::Dice;

const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// The letter of a DNI or NIE number (Orden INT/2058/2008): remainder by 23.
pub fn dni_letter(number: u64) -> char {
    char::from(LETTERS[(number % 23) as usize])
}

pub fn dni(dice: &mut Dice) -> String {
    let number = dice.int(5_000_000, 79_999_999) as u64;
    format!("{number:08}{}", dni_letter(number))
}

pub fn nie(dice: &mut Dice) -> String {
    let lead = *dice.pick(&['X', 'Y', 'Y', 'Z']);
    let number = dice.int(100_000, 9_999_999) as u64;
    let whole = number + 10_000_000 * (lead as u64 - 'X' as u64);
    format!("{lead}{number:07}{}", dni_letter(whole))
}

/// The same number with another letter: a check that fails.
pub fn with_wrong_letter(tax_id: &str) -> String {
    let right = tax_id.chars().last().unwrap_or('A');
    let wrong = if right == 'K' { 'L' } else { 'K' };
    format!("{}{wrong}", &tax_id[..tax_id.len() - 1])
}

/// A company's tax id; control digit by Luhn's sum (Real Decreto 1065/2007).
pub fn cif(dice: &mut Dice, kind: char) -> String {
    let body = format!("{:02}{}", dice.int(1, 52), dice.digits(5));
    let control = cif_control(&body);
    format!("{kind}{body}{control}")
}

fn cif_control(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    (10 - sum % 10) % 10
}

/// ISO 7064 mod 97-10 over an IBAN whose check digits are in place; 1 when right.
pub fn mod97(iban: &str) -> u32 {
    let turned = iban[4..].chars().chain(iban[..4].chars());
    turned.fold(0, |rest, c| {
        let value = c.to_digit(36).unwrap_or(0);
        if value > 9 { (rest * 100 + value) % 97 } else { (rest * 10 + value) % 97 }
    })
}

pub fn iban(country: &str, account: &str) -> String {
    let check = 98 - mod97(&format!("{country}00{account}"));
    format!("{country}{check:02}{account}")
}

/// A Spanish IBAN with its two national control digits right.
pub fn spanish_iban(dice: &mut Dice, bank: &str, branch: &str) -> String {
    let account = dice.digits(10);
    let control = |digits: &str| {
        let weights = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
        let sum: u32 =
            digits.bytes().zip(weights).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
        match 11 - sum % 11 {
            10 => 1,
            11 => 0,
            other => other,
        }
    };
    let first = control(&format!("00{bank}{branch}"));
    let second = control(&account);
    iban("ES", &format!("{bank}{branch}{first}{second}{account}"))
}

/// An Irish IBAN: four letters of the bank, six of the branch, eight of the account.
pub fn irish_iban(dice: &mut Dice, bank: &str, sort_code: &str) -> String {
    iban("IE", &format!("{bank}{sort_code}{}", dice.digits(8)))
}

/// Breaks an IBAN's check digits by changing one digit of the account.
pub fn broken_iban(good: &str) -> String {
    let at = good.len() - 3;
    let digit = good.as_bytes()[at] - b'0';
    format!("{}{}{}", &good[..at], (digit + 4) % 10, &good[at + 1..])
}

/// The two letters of a supply point (Resolución de 2 de octubre de 2019): remainder by 529.
pub fn cups_letters(number: u64) -> String {
    let rest = (number % 529) as usize;
    format!("{}{}", char::from(LETTERS[rest / 23]), char::from(LETTERS[rest % 23]))
}

pub fn cups(dice: &mut Dice, distributor: &str) -> String {
    let digits = format!("{distributor}{}", dice.digits(12));
    let letters = cups_letters(digits.parse().unwrap_or(0));
    format!("ES{digits}{letters}")
}

pub fn broken_cups(good: &str) -> String {
    let last = if good.ends_with('Q') { 'V' } else { 'Q' };
    format!("{}{last}", &good[..good.len() - 1])
}

/// Social security number: province, eight digits, remainder by 97.
pub fn social_security_number(dice: &mut Dice, province: u32) -> String {
    let number = dice.int(10_000_000, 12_999_999) as u64;
    let whole = u64::from(province) * 100_000_000 + number;
    format!("{province:02}{number:08}{:02}", whole % 97)
}

// ---- machine-readable zones (ICAO 9303) -------------------------------------------------------------------

pub fn mrz_check(text: &str) -> u32 {
    let value = |c: char| match c {
        '0'..='9' => u32::from(c) - 48,
        'A'..='Z' => u32::from(c) - 55,
        _ => 0,
    };
    text.chars().zip([7, 3, 1].iter().cycle()).map(|(c, weight)| value(c) * weight).sum::<u32>() % 10
}

/// What a machine-readable zone says.
#[derive(Debug, Clone)]
pub struct Mrz<'a> {
    /// Two characters: `ID`, `I<`, `P<`.
    pub code: &'a str,
    pub issuer: &'a str,
    pub number: &'a str,
    /// Spanish cards: the DNI or NIE; passports: the personal number.
    pub optional: &'a str,
    pub birth: Date,
    pub sex: &'a str,
    pub expiry: Date,
    pub nationality: &'a str,
    pub surnames: &'a str,
    pub given_names: &'a str,
}

/// Letters as ICAO 9303 transliterates them, all else `<`.
pub fn mrz_letters(name: &str) -> String {
    let mut out = String::new();
    for c in name.to_uppercase().chars() {
        match c {
            'Á' | 'À' | 'Â' | 'Ã' | 'Ă' => out.push('A'),
            'Ä' => out.push_str("AE"),
            'É' | 'È' | 'Ê' | 'Ë' => out.push('E'),
            'Í' | 'Ì' | 'Î' | 'Ï' => out.push('I'),
            'Ó' | 'Ò' | 'Ô' | 'Õ' => out.push('O'),
            'Ö' => out.push_str("OE"),
            'Ú' | 'Ù' => out.push('U'),
            'Ü' => out.push_str("UE"),
            'Ñ' => out.push('N'),
            'Ç' => out.push('C'),
            'Ș' | 'Ş' => out.push('S'),
            'Ț' => out.push('T'),
            '\'' => {}
            'A'..='Z' | '0'..='9' => out.push(c),
            _ => out.push('<'),
        }
    }
    out
}

fn filled(text: &str, width: usize) -> String {
    text.chars().chain(std::iter::repeat('<')).take(width).collect()
}

fn mrz_date(date: Date) -> String {
    date.format("%y%m%d").to_string()
}

fn mrz_names(mrz: &Mrz<'_>, width: usize) -> String {
    filled(&format!("{}<<{}", mrz_letters(mrz.surnames), mrz_letters(mrz.given_names)), width)
}

/// Three lines of thirty.
pub fn td1(mrz: &Mrz<'_>) -> String {
    let number = filled(mrz.number, 9);
    let first =
        format!("{}{}{number}{}{}", mrz.code, mrz.issuer, mrz_check(&number), filled(mrz.optional, 15));
    let (birth, expiry) = (mrz_date(mrz.birth), mrz_date(mrz.expiry));
    let dates = format!("{birth}{}{}{expiry}{}", mrz_check(&birth), mrz.sex, mrz_check(&expiry));
    let second = format!("{dates}{}{}", mrz.nationality, "<".repeat(11));
    let summed = format!("{}{}{}{}", &first[5..30], &second[0..7], &second[8..15], &second[18..29]);
    format!("{first}\n{second}{}\n{}", mrz_check(&summed), mrz_names(mrz, 30))
}

/// Two lines of forty-four.
pub fn td3(mrz: &Mrz<'_>) -> String {
    let first = format!("{}{}{}", mrz.code, mrz.issuer, mrz_names(mrz, 39));
    let number = filled(mrz.number, 9);
    let (birth, expiry) = (mrz_date(mrz.birth), mrz_date(mrz.expiry));
    let personal = filled(mrz.optional, 14);
    let personal_check =
        if mrz.optional.is_empty() { "<".to_owned() } else { mrz_check(&personal).to_string() };
    let second = format!(
        "{number}{}{}{birth}{}{}{expiry}{}{personal}{personal_check}",
        mrz_check(&number),
        mrz.nationality,
        mrz_check(&birth),
        mrz.sex,
        mrz_check(&expiry)
    );
    let summed = format!("{}{}{}", &second[0..10], &second[13..20], &second[21..43]);
    format!("{first}\n{second}{}", mrz_check(&summed))
}

/// One check digit made wrong: the birth date's.
pub fn broken_mrz(good: &str) -> String {
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    let at = if lines.len() == 3 { 6 } else { 19 };
    let digit = (lines[1].as_bytes()[at] - b'0' + 5) % 10;
    lines[1].replace_range(at..=at, &digit.to_string());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::ymd;

    #[test]
    fn letters_of_known_numbers() {
        assert_eq!(dni_letter(12_345_678), 'Z');
        assert_eq!(dni_letter(99_999_999), 'R');
        let x = dni_letter(1_234_567);
        assert_eq!(x, 'L');
    }

    #[test]
    fn company_control() {
        assert_eq!(cif_control("5881850"), 1);
        assert_eq!(cif_control("8345671"), cif_control("8345671"));
    }

    #[test]
    fn ibans_hold() {
        assert_eq!(mod97("ES9121000418450200051332"), 1);
        let mut dice = Dice::new(3);
        for _ in 0..50 {
            let good = spanish_iban(&mut dice, "2291", "0417");
            assert_eq!((good.len(), mod97(&good)), (24, 1));
            assert_ne!(mod97(&broken_iban(&good)), 1);
            assert_eq!(mod97(&irish_iban(&mut dice, "NVRB", "907731")), 1);
        }
    }

    #[test]
    fn national_control_of_a_known_account() {
        let mut dice = Dice::new(1);
        let made = spanish_iban(&mut dice, "2100", "0418");
        assert_eq!(&made[12..13], "4");
    }

    #[test]
    fn cups_of_a_known_supply_point() {
        assert_eq!(cups_letters(1_234_123_456_789_012), "JY");
        let mut dice = Dice::new(1);
        assert_eq!(cups(&mut dice, "0021").len(), 20);
    }

    #[test]
    fn mrz_of_the_standard() {
        // ICAO 9303-5 and 9303-4, the specimen of Utopia.
        let utopia = Mrz {
            code: "P<",
            issuer: "UTO",
            number: "L898902C3",
            optional: "ZE184226B",
            birth: ymd(1974, 8, 12),
            sex: "F",
            expiry: ymd(2012, 4, 15),
            nationality: "UTO",
            surnames: "ERIKSSON",
            given_names: "ANNA MARIA",
        };
        assert_eq!(
            td3(&utopia),
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
        );
        let card = Mrz { code: "I<", number: "D23145890", optional: "", ..utopia };
        assert_eq!(
            td1(&card),
            "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
        );
        assert_ne!(broken_mrz(&td1(&card)), td1(&card));
    }

    #[test]
    fn social_security_control() {
        let mut dice = Dice::new(9);
        let naf = social_security_number(&mut dice, 28);
        let body: u64 = naf[..10].parse().unwrap();
        assert_eq!(naf[10..].parse::<u64>().unwrap(), body % 97);
    }
}
