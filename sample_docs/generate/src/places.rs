//! Real towns and provinces with invented streets.

use crate::dice::Dice;

#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub town: &'static str,
    pub province: &'static str,
    /// The province's two digits, which begin its postal codes and social security numbers.
    pub code: u32,
    pub area: u32,
}

impl Place {
    pub fn postcode(self) -> String {
        format!("{:02}{:03}", self.code, self.area)
    }

    pub fn line(self) -> String {
        if self.town == self.province {
            format!("{} {}", self.postcode(), self.town)
        } else {
            format!("{} {} ({})", self.postcode(), self.town, self.province)
        }
    }
}

const TOWNS: &[(&str, &str, u32, u32)] = &[
    ("Madrid", "Madrid", 28, 7),
    ("Getafe", "Madrid", 28, 901),
    ("Alcobendas", "Madrid", 28, 100),
    ("Móstoles", "Madrid", 28, 931),
    ("Barcelona", "Barcelona", 8, 14),
    ("Sabadell", "Barcelona", 8, 201),
    ("Vic", "Barcelona", 8, 500),
    ("Valencia", "Valencia", 46, 5),
    ("Gandía", "Valencia", 46, 700),
    ("Sevilla", "Sevilla", 41, 3),
    ("Dos Hermanas", "Sevilla", 41, 701),
    ("Málaga", "Málaga", 29, 9),
    ("Ronda", "Málaga", 29, 400),
    ("Zaragoza", "Zaragoza", 50, 4),
    ("Calatayud", "Zaragoza", 50, 300),
    ("Bilbao", "Bizkaia", 48, 9),
    ("Getxo", "Bizkaia", 48, 930),
    ("Vigo", "Pontevedra", 36, 203),
    ("A Coruña", "A Coruña", 15, 4),
    ("Oviedo", "Asturias", 33, 5),
    ("Gijón", "Asturias", 33, 201),
    ("Valladolid", "Valladolid", 47, 2),
    ("Burgos", "Burgos", 9, 3),
    ("León", "León", 24, 2),
    ("Salamanca", "Salamanca", 37, 5),
    ("Murcia", "Murcia", 30, 5),
    ("Cartagena", "Murcia", 30, 201),
    ("Alicante", "Alicante", 3, 3),
    ("Elche", "Alicante", 3, 201),
    ("Granada", "Granada", 18, 10),
    ("Córdoba", "Córdoba", 14, 4),
    ("Jaén", "Jaén", 23, 3),
    ("Almería", "Almería", 4, 4),
    ("Palma", "Illes Balears", 7, 11),
    ("Santander", "Cantabria", 39, 4),
    ("Logroño", "La Rioja", 26, 5),
    ("Pamplona", "Navarra", 31, 4),
    ("Tarragona", "Tarragona", 43, 3),
    ("Reus", "Tarragona", 43, 201),
    ("Lleida", "Lleida", 25, 5),
    ("Girona", "Girona", 17, 2),
    ("Badajoz", "Badajoz", 6, 4),
    ("Cáceres", "Cáceres", 10, 3),
    ("Toledo", "Toledo", 45, 4),
    ("Albacete", "Albacete", 2, 3),
    ("Huelva", "Huelva", 21, 4),
    ("Cádiz", "Cádiz", 11, 5),
    ("Jerez de la Frontera", "Cádiz", 11, 402),
    ("Teruel", "Teruel", 44, 2),
    ("Ourense", "Ourense", 32, 5),
];

const KINDS: &[&str] =
    &["C/", "Calle", "Avda.", "Avenida", "Plaza", "Paseo", "Camino", "Ronda", "Travesía", "C/"];
const STREETS: &[&str] = &[
    "de los Tilos",
    "Mayor",
    "del Molino Viejo",
    "de la Fuente",
    "Río Duero",
    "Sierra Nevada",
    "de las Acacias",
    "del Olivar",
    "San Roque",
    "Virgen del Carmen",
    "de la Estación",
    "del Puerto",
    "Los Almendros",
    "de Castilla",
    "Pintor Rosales",
    "Maestro Alonso",
    "de la Paz",
    "del Mercado",
    "Santa Lucía",
    "de los Naranjos",
    "Ramón y Cajal",
    "Miguel Hernández",
    "de la Constitución",
    "del Mar",
    "Cervantes",
    "de la Huerta",
    "Doctor Fleming",
    "Las Eras",
    "del Romero",
    "Joaquín Costa",
    "del Prado",
    "de los Olmos",
    "Río Ebro",
    "Concepción Arenal",
    "de la Cruz Verde",
    "Peña Blanca",
    "de los Jardines",
    "Isaac Peral",
    "Antonio Machado",
    "del Castillo",
];

pub fn town(dice: &mut Dice) -> Place {
    let (town, province, code, area) = *dice.pick(TOWNS);
    Place { town, province, code, area }
}

pub fn street(dice: &mut Dice) -> String {
    let (kind, name, number) = (dice.pick(KINDS), dice.pick(STREETS), dice.int(1, 180));
    match dice.int(0, 3) {
        0 => format!("{kind} {name}, {number}"),
        1 => format!(
            "{kind} {name}, {number}, {}.º {}",
            dice.int(1, 8),
            dice.pick(&["A", "B", "C", "D", "Izq.", "Dcha."])
        ),
        2 => format!("{kind} {name} {number}, {}º-{}ª", dice.int(1, 8), dice.int(1, 4)),
        _ => format!("{kind} {name}, {number}, bajo"),
    }
}

/// A landline of the province's usual look.
pub fn landline(dice: &mut Dice) -> String {
    format!("9{} 555 {} {}", dice.int(1, 8), dice.digits(2), dice.digits(2))
}
