//! Invented people. Names come from wide lists, so that no reader can learn them by heart.

use crate::dates::{Date, age, plus_days, plus_months};
use crate::dice::Dice;
use crate::identifiers;
use crate::places::{Place, street, town};

const WOMEN: &[&str] = &[
    "María",
    "Carmen",
    "Ana",
    "Isabel",
    "Laura",
    "Cristina",
    "Marta",
    "Lucía",
    "Paula",
    "Elena",
    "Pilar",
    "Raquel",
    "Nuria",
    "Silvia",
    "Rocío",
    "Beatriz",
    "Inés",
    "Alba",
    "Noelia",
    "Irene",
    "Rosario",
    "Montserrat",
    "Concepción",
    "Esther",
    "Amparo",
    "Yolanda",
    "Lourdes",
    "Begoña",
    "Ainhoa",
    "Nerea",
    "Itziar",
    "Leire",
    "Uxía",
    "Sabela",
    "Mireia",
    "Laia",
    "Neus",
    "Gemma",
    "Sonia",
    "Verónica",
    "Eva",
    "Mónica",
    "Natalia",
    "Ángela",
    "Julia",
    "Sofía",
    "Valeria",
    "Candela",
    "Aitana",
    "Jimena",
    "Consuelo",
    "Dolores",
    "Encarnación",
    "Josefa",
    "Milagros",
    "Araceli",
    "María José",
    "María Teresa",
    "María del Mar",
    "Ana Belén",
    "Rosa María",
    "María Ángeles",
    "Eva María",
    "María Luisa",
    "Ana Isabel",
];
const MEN: &[&str] = &[
    "Antonio",
    "José",
    "Manuel",
    "Francisco",
    "David",
    "Juan",
    "Javier",
    "Daniel",
    "Carlos",
    "Jesús",
    "Alejandro",
    "Miguel",
    "Rafael",
    "Pedro",
    "Pablo",
    "Ángel",
    "Sergio",
    "Fernando",
    "Jorge",
    "Luis",
    "Alberto",
    "Álvaro",
    "Adrián",
    "Diego",
    "Raúl",
    "Iván",
    "Rubén",
    "Óscar",
    "Enrique",
    "Ramón",
    "Vicente",
    "Andrés",
    "Joaquín",
    "Santiago",
    "Eduardo",
    "Víctor",
    "Roberto",
    "Jaime",
    "Mario",
    "Ignacio",
    "Marcos",
    "Salvador",
    "Gonzalo",
    "Hugo",
    "Iker",
    "Unai",
    "Xabier",
    "Jordi",
    "Marc",
    "Pau",
    "Oriol",
    "Brais",
    "Anxo",
    "Guillermo",
    "Nicolás",
    "Tomás",
    "Agustín",
    "José Luis",
    "Juan Carlos",
    "Francisco Javier",
    "Miguel Ángel",
    "José Antonio",
    "Juan José",
    "Luis Alberto",
    "José Manuel",
];
const SURNAMES: &[&str] = &[
    "García",
    "González",
    "Rodríguez",
    "Fernández",
    "López",
    "Martínez",
    "Sánchez",
    "Pérez",
    "Gómez",
    "Martín",
    "Jiménez",
    "Ruiz",
    "Hernández",
    "Díaz",
    "Moreno",
    "Muñoz",
    "Álvarez",
    "Romero",
    "Alonso",
    "Gutiérrez",
    "Navarro",
    "Torres",
    "Domínguez",
    "Vázquez",
    "Ramos",
    "Gil",
    "Ramírez",
    "Serrano",
    "Blanco",
    "Molina",
    "Morales",
    "Suárez",
    "Ortega",
    "Delgado",
    "Castro",
    "Ortiz",
    "Rubio",
    "Marín",
    "Sanz",
    "Núñez",
    "Iglesias",
    "Medina",
    "Garrido",
    "Cortés",
    "Castillo",
    "Santos",
    "Lozano",
    "Guerrero",
    "Cano",
    "Prieto",
    "Méndez",
    "Cruz",
    "Calvo",
    "Gallego",
    "Vidal",
    "León",
    "Márquez",
    "Herrera",
    "Peña",
    "Flores",
    "Cabrera",
    "Campos",
    "Vega",
    "Fuentes",
    "Carrasco",
    "Diez",
    "Reyes",
    "Caballero",
    "Nieto",
    "Aguilar",
    "Pascual",
    "Santana",
    "Herrero",
    "Montero",
    "Lorenzo",
    "Hidalgo",
    "Giménez",
    "Ibáñez",
    "Ferrer",
    "Durán",
    "Vicente",
    "Benítez",
    "Mora",
    "Santiago",
    "Arias",
    "Vargas",
    "Carmona",
    "Crespo",
    "Román",
    "Pastor",
    "Soto",
    "Sáez",
    "Velasco",
    "Moya",
    "Soler",
    "Esteban",
    "Parra",
    "Bravo",
    "Gallardo",
    "Rojas",
    "Etxeberria",
    "Goikoetxea",
    "Zubizarreta",
    "Aguirre",
    "Urrutia",
    "Mendizábal",
    "Arrieta",
    "Puig",
    "Vila",
    "Casals",
    "Roca",
    "Bosch",
    "Serra",
    "Llorens",
    "Ballester",
    "Carballo",
    "Rey",
    "Pazos",
    "Seoane",
    "Lage",
    "Beltrán",
    "Escudero",
    "Quiroga",
    "Valverde",
    "Zamora",
    "Ávila",
    "Núñez de la Fuente",
    "de la Torre",
    "del Río",
    "de Miguel",
    "San Juan",
    "Ruiz de Alda",
];
/// Given names and surnames of people from elsewhere, by nationality.
struct Abroad {
    nationality: &'static str,
    women: &'static [&'static str],
    men: &'static [&'static str],
    surnames: &'static [&'static str],
}
const ABROAD: &[Abroad] = &[
    Abroad {
        nationality: "ROU",
        women: &["Elena", "Ioana", "Andreea", "Mihaela", "Gabriela", "Roxana"],
        men: &["Andrei", "Mihai", "Ionuț", "Florin", "Cătălin", "Bogdan"],
        surnames: &["Popescu", "Ionescu", "Dumitru", "Stan", "Munteanu", "Moldovan", "Ciobanu", "Radu"],
    },
    Abroad {
        nationality: "MAR",
        women: &["Fatima", "Khadija", "Amina", "Salma", "Naima"],
        men: &["Mohamed", "Youssef", "Rachid", "Hamza", "Said"],
        surnames: &["El Amrani", "Benali", "Bennani", "Alaoui", "Chakir", "Ouazzani", "Haddad"],
    },
    Abroad {
        nationality: "COL",
        women: &["Luz Marina", "Diana Carolina", "Paola Andrea", "Yuliana", "Adriana"],
        men: &["Jhon Fredy", "Andrés Felipe", "Wilson", "Carlos Mario", "Edwin"],
        surnames: &["Restrepo Gómez", "Ospina Cardona", "Zapata Rincón", "Quintero Mejía", "Arango Vélez"],
    },
    Abroad {
        nationality: "ITA",
        women: &["Giulia", "Chiara", "Francesca", "Martina", "Federica"],
        men: &["Matteo", "Lorenzo", "Alessandro", "Davide", "Nicolò"],
        surnames: &["Bianchi", "Ricci", "Moretti", "Conti", "De Luca", "Ferrara", "D'Angelo"],
    },
    Abroad {
        nationality: "PRT",
        women: &["Inês", "Beatriz", "Mariana", "Catarina", "Joana"],
        men: &["João", "Tiago", "Rui", "Nuno", "Gonçalo"],
        surnames: &["Silva Pereira", "Santos Carvalho", "Oliveira Lopes", "Fonseca Antunes", "Moura Simões"],
    },
    Abroad {
        nationality: "GBR",
        women: &["Emily", "Charlotte", "Hannah", "Rebecca", "Olivia Grace"],
        men: &["Oliver", "Harry James", "George", "Thomas", "Callum"],
        surnames: &["Whitfield", "Thornton", "Ashworth", "Penrose", "Hargreaves", "O'Neill", "Lockwood"],
    },
    Abroad {
        nationality: "UKR",
        women: &["Olena", "Iryna", "Oksana", "Kateryna"],
        men: &["Andrii", "Serhii", "Oleksandr", "Dmytro"],
        surnames: &["Kovalenko", "Shevchenko", "Bondarenko", "Tkachuk", "Melnyk"],
    },
    Abroad {
        nationality: "DEU",
        women: &["Anna", "Lena", "Katharina", "Jule"],
        men: &["Lukas", "Jonas", "Felix", "Jürgen"],
        surnames: &["Schäfer", "Lindemann", "Köhler", "Vogt", "Brandt", "Müller"],
    },
];

/// Which papers somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Spaniard,
    /// A foreigner with a NIE and a Spanish residence card.
    Resident,
    /// A foreigner of the Union with a NIE who shows the card of the own country.
    European,
}

#[derive(Debug, Clone)]
pub struct Person {
    pub given_names: String,
    pub surnames: String,
    pub sex: &'static str,
    pub birth_date: Date,
    pub nationality: &'static str,
    /// DNI or NIE.
    pub tax_id: String,
    pub street: String,
    pub town: Place,
    pub birth_town: Place,
    pub phone: String,
    pub email: String,
    pub parents: (String, String),
}

impl Person {
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given_names, self.surnames)
    }

    pub fn address_lines(&self) -> Vec<String> {
        vec![self.street.clone(), self.town.line()]
    }

    pub fn age_on(&self, day: Date) -> i32 {
        age(self.birth_date, day)
    }
}

/// A person of `years` completed years on `day`.
pub fn person(dice: &mut Dice, origin: Origin, years: i32, day: Date) -> Person {
    let woman = dice.chance(0.5);
    let (given_names, surnames, nationality) = match origin {
        Origin::Spaniard => {
            let given = *dice.pick(if woman { WOMEN } else { MEN });
            (given.to_owned(), two_surnames(dice), "ESP")
        }
        Origin::Resident | Origin::European => {
            let countries: Vec<&Abroad> = ABROAD
                .iter()
                .filter(|a| {
                    origin == Origin::Resident || ["ITA", "PRT", "ROU", "DEU"].contains(&a.nationality)
                })
                .collect();
            let country = *dice.pick(&countries);
            let given = *dice.pick(if woman { country.women } else { country.men });
            (given.to_owned(), (*dice.pick(country.surnames)).to_owned(), country.nationality)
        }
    };
    let birth_date = plus_days(plus_months(day, -12 * years), -dice.int(1, 340));
    let tax_id = if origin == Origin::Spaniard { identifiers::dni(dice) } else { identifiers::nie(dice) };
    let home = town(dice);
    Person {
        email: email(dice, &given_names, &surnames),
        given_names,
        surnames,
        sex: if woman { "F" } else { "M" },
        birth_date,
        nationality,
        tax_id,
        street: street(dice),
        birth_town: if dice.chance(0.6) { home } else { town(dice) },
        town: home,
        phone: format!("6{}", dice.digits(8)),
        parents: ((*dice.pick(MEN)).to_owned(), (*dice.pick(WOMEN)).to_owned()),
    }
}

pub fn two_surnames(dice: &mut Dice) -> String {
    let first = *dice.pick(SURNAMES);
    let mut second = *dice.pick(SURNAMES);
    while second.len() + first.len() > 28 {
        second = *dice.pick(SURNAMES);
    }
    format!("{first} {second}")
}

/// A name only: officers, agents, managers, neighbours.
pub fn any_name(dice: &mut Dice) -> String {
    let names = if dice.chance(0.5) { WOMEN } else { MEN };
    let given = *dice.pick(names);
    format!("{given} {}", two_surnames(dice))
}

fn email(dice: &mut Dice, given: &str, surnames: &str) -> String {
    let plain = |text: &str| -> String {
        identifiers::mrz_letters(text).to_lowercase().split('<').next().unwrap_or("x").to_owned()
    };
    let host = dice.pick(&["correo.example", "buzon.example", "mail.example", "post.example"]);
    format!("{}.{}{}@{host}", plain(given), plain(surnames), dice.int(1, 99))
}
