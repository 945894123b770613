//! Secrets of people and systems: passwords with argon2id, random tokens that are stored as hashes.
//! Knows no store and no HTTP.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use sha2::{Digest, Sha256};

/// Passwords are at least this long (NIST SP 800-63B asks for 8, and for no rules on characters).
pub const SHORTEST_PASSWORD: usize = 10;
/// Longer ones only cost time to hash.
pub const LONGEST_PASSWORD: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("the password must have at least {SHORTEST_PASSWORD} characters")]
    TooShort,
    #[error("the password must have at most {LONGEST_PASSWORD} characters")]
    TooLong,
    #[error("cannot hash a password")]
    Hash(#[source] argon2::password_hash::Error),
    #[error("the machine gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// The PHC string of a password: argon2id with the library's default cost and a random salt.
///
/// # Errors
/// When the password is too short or too long.
pub fn hash_password(password: &str) -> Result<String, AccountError> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        return Err(AccountError::TooShort);
    }
    if length > LONGEST_PASSWORD {
        return Err(AccountError::TooLong);
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(AccountError::Hash)?;
    Ok(hash.to_string())
}

/// Whether a password is the one that was hashed. Takes the same time for an unreadable hash.
pub fn password_matches(password: &str, phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else {
        waste_time(password);
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

/// Does the work of looking at a password, so that an unknown login takes as long as a known one.
pub fn waste_time(password: &str) {
    Argon2::default().hash_password(password.as_bytes()).ok();
}

/// A new secret of 256 bits, in hex.
///
/// # Errors
/// When the machine gives no random numbers.
pub fn new_secret() -> Result<String, AccountError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(AccountError::Random)?;
    Ok(hex::encode(bytes))
}

/// What is stored of a secret.
pub fn hash_secret(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// A password that can be typed off a screen: twenty letters and digits without look-alikes, in groups.
///
/// # Errors
/// When the machine gives no random numbers.
pub fn one_time_password() -> Result<String, AccountError> {
    // 32 signs, so that a byte's low five bits choose evenly.
    const SIGNS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(AccountError::Random)?;
    let mut password = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(SIGNS[usize::from(byte % 32)]));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(password_matches("correct horse", &hash));
        assert!(!password_matches("correct horsf", &hash));
        assert!(!password_matches("correct horse", "no hash"));
        assert!(matches!(hash_password("short"), Err(AccountError::TooShort)));
    }

    #[test]
    fn secrets_differ_and_one_time_passwords_are_long_enough() {
        assert_ne!(new_secret().unwrap(), new_secret().unwrap());
        let password = one_time_password().unwrap();
        assert_eq!(password.len(), 23);
        assert!(hash_password(&password).is_ok());
    }
}
