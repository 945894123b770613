//! Words of labels on identity documents, in the languages they are printed in.

use super::super::parse::text::fold;
use super::printed::What;

/// The labels of names stand first.
const NAME_PARTS: usize = 2;
/// Labels by their letters alone, folded, parted by bars.
const LABELS: [(What, &str); 11] = [
    (
        What::Surnames,
        "apellidos|primer apellido|segundo apellido|apellido|surname|surnames|last name|family name|\
            cognoms|abizenak|apelidos|surname s|apellido s|primary identifier",
    ),
    (
        What::GivenNames,
        "nombre|nombres|name|names|given names|given name|first name|first names|forenames|forename|\
            prenoms|prenom|nom|nome|izena|given name s|nombre s|first name s|forename s|secondary identifier|\
            vornamen|nombre propio",
    ),
    (What::Sex, "sexo|sex|sexe|sexua|geschlecht|sesso"),
    (
        What::Nationality,
        "nacionalidad|nationality|nationalite|nacionalitat|nacionalidade|nazionalitatea|\
            staatsangehorigkeit|nac|cittadinanza",
    ),
    (
        What::Birth,
        "fecha de nacimiento|fecha nacimiento|date of birth|nacimiento|f nacimiento|birth date|\
            date de naissance|data de naixement|fecha de nac|data de nacemento|jaioteguna|born|geburtsdatum|\
            data di nascita|dob",
    ),
    (
        What::Issue,
        "emision|fecha de emision|fecha emision|fecha de expedicion|fecha expedicion|expedicion|\
            date of issue|issue date|date de delivrance|data d expedicio|emissio|expedido|issued|issued on|\
            emitido|f expedicion|valid from|ausstellungsdatum",
    ),
    (
        What::Expiry,
        "validez|valido hasta|fecha de validez|fecha validez|fecha de caducidad|fecha caducidad|\
            caducidad|date of expiry|expiry date|expiry|expires|valid until|validity|date d expiration|\
            validesa|data de caducitat|valid to|valida hasta|valido ate|expiration date|date of expiration|\
            fecha de vencimiento|gultig bis|good thru|baliotasuna",
    ),
    (
        What::Number,
        "dni|dni num|num dni|nie|numero de documento|documento num|document no|document number|\
            passport no|passport number|pasaporte no|pasaporte num|no de pasaporte|num de pasaporte|\
            n de pasaporte|numero de pasaporte|n du passeport|no du passeport|passeport no|identity card no|\
            id number|card no|documento n|pasaporte n|n documento|card number|numero dni|passeport n",
    ),
    (
        What::Support,
        "num soport|num soporte|numero de soporte|idesp|soporte|n soporte|num suport|support no|\
            support number|num sop",
    ),
    (
        What::PersonalNumber,
        "num personal|numero personal|personal no|personal number|n personal|no personnel|\
            num identificacion|identity no|n personnel",
    ),
    (
        What::Other,
        "lugar de nacimiento|place of birth|lieu de naissance|domicilio|address|autoridad|authority|\
            autorite|firma|signature|firma del titular|signature of bearer|equipo|hijo a de|hijo de|padres|\
            tipo|type|codigo|code|tipo de permiso|type of permit|observaciones|remarks|can|height|estatura|\
            lugar de domicilio|provincia|codigo del pais|holder s signature|country code|\
            code of issuing state|pais emisor|issuing country|lugar de expedicion|place of issue|\
            lloc de naixement|residencia|permiso",
    ),
];

/// What a phrase of folded words labels, if anything. One letter may be misread in a longer one.
pub(super) fn label_of(phrase: &str) -> Option<What> {
    first_of(&LABELS, phrase)
}

fn first_of(labels: &[(What, &str)], phrase: &str) -> Option<What> {
    let hit = labels.iter().find(|(_, labels)| labels.split('|').any(|label| alike(label, phrase)));
    hit.map(|(what, _)| *what)
}

/// A part of a person's name that papers ask for apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamePart {
    Surnames,
    GivenNames,
}

/// Which part of a name a phrase of folded words labels, if any.
pub(crate) fn name_part(phrase: &str) -> Option<NamePart> {
    match first_of(&LABELS[..NAME_PARTS], phrase)? {
        What::Surnames => Some(NamePart::Surnames),
        _ => Some(NamePart::GivenNames),
    }
}

/// The words of a label's piece, folded: `N.º` is `n`, `APELLIDOS/SURNAMES` is two.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    let folded = fold(&text.replace(['º', '°', 'ª'], " "));
    let parts = folded.split(|ch: char| !ch.is_ascii_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn alike(label: &str, read: &str) -> bool {
    let near = label.len() >= 7 && label.len().abs_diff(read.len()) <= 1;
    label == read || near && strsim::levenshtein(label, read) <= 1
}
