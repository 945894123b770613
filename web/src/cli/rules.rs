//! `dossier rules`: checking and testing the business rules.
