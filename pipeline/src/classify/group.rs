//! Which pages belong together: cuts files into documents and joins documents that came in parts.

use super::evidence::{PageEvidence, weigh};
use super::words::WordModel;
use crate::config::DocumentTypeConfig;
use crate::domain::{DocumentType, Page};

/// A page of another type starts a document when it says so this much more strongly than it speaks
/// for the type of the document before it (one telling label and a half).
const CLEARLY: f32 = 3.0;

/// A page with less evidence than a heading goes with the document before it.
const WEAK: f32 = 4.0;

/// A further page says at most this much of its type, beside what the first one says.
const FURTHER_PAGE: f32 = 0.6;
/// And at least as much as a heading in the upper part: a page that was hardly read may be anything.
const FURTHER_LEAST: f32 = 6.0;

/// A page where it stands.
#[derive(Debug, Clone, Copy)]
pub struct PageOfFile<'a> {
    /// Index of the file in the case.
    pub file: usize,
    pub page: &'a Page,
}

/// A logical document: its pages, possibly from several files, in reading order.
#[derive(Debug, Clone)]
pub struct LogicalDocument<'a> {
    pub document_type: DocumentType,
    pub type_confidence: f64,
    pub pages: Vec<PageOfFile<'a>>,
}

struct Draft<'a> {
    pages: Vec<PageOfFile<'a>>,
    evidence: PageEvidence,
    /// The first page's, for joining.
    first: PageEvidence,
    last_numbering: Option<(u32, Option<u32>)>,
}

impl<'a> Draft<'a> {
    fn start(page: PageOfFile<'a>, evidence: PageEvidence) -> Self {
        Self { pages: vec![page], last_numbering: evidence.numbering, first: evidence.clone(), evidence }
    }

    fn push(&mut self, page: PageOfFile<'a>, evidence: &PageEvidence) {
        self.pages.push(page);
        self.evidence.add(evidence);
        self.last_numbering = evidence.numbering.or(self.last_numbering);
    }

    fn document_type(&self) -> DocumentType {
        self.evidence.best().0
    }
}

/// Groups the pages of all files of a case, given in file and page order, to documents.
pub fn group<'a>(
    pages: &[PageOfFile<'a>],
    types: &[DocumentTypeConfig],
    words: &WordModel,
) -> Vec<LogicalDocument<'a>> {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    for page in pages {
        let evidence = weigh(page.page, types, words);
        match drafts.last_mut() {
            Some(draft) if same_file(draft, page) && continues(draft, &evidence) => {
                draft.push(*page, &evidence);
            }
            _ => drafts.push(Draft::start(*page, evidence)),
        }
    }
    join_card_sides(&mut drafts);
    join_parts(&mut drafts);
    drafts.retain(|draft| draft.pages.len() > 1 || !draft.first.blank);
    drafts.into_iter().map(finish).collect()
}

fn finish(draft: Draft<'_>) -> LogicalDocument<'_> {
    let (document_type, type_confidence) = draft.evidence.best();
    LogicalDocument { document_type, type_confidence, pages: draft.pages }
}

fn same_file(draft: &Draft<'_>, page: &PageOfFile<'_>) -> bool {
    draft.pages.last().is_some_and(|last| last.file == page.file)
}

/// Whether a page goes on with the document before it in its file.
fn continues(draft: &Draft<'_>, page: &PageEvidence) -> bool {
    let current = draft.document_type();
    let (best, _) = page.best();
    let best_weight = page.weights.first().map_or(0.0, |(_, weight)| *weight);
    if page.blank {
        return true;
    }
    if let (Some((number, _)), Some((before, _))) = (page.numbering, draft.last_numbering)
        && number == before + 1
        && (best == current || best_weight - page.weight_of(&current) < 2.0 * CLEARLY)
    {
        return true;
    }
    if best == current {
        return !starts_another(draft, page, &current);
    }
    if best_weight < WEAK {
        return !current.is_unknown();
    }
    best_weight - page.weight_of(&current) < CLEARLY && !page.heading
}

/// Whether a page of the same type begins a second document of it.
fn starts_another(draft: &Draft<'_>, page: &PageEvidence, current: &DocumentType) -> bool {
    if is_identity(current) {
        // A card has two sides; the machine-readable one comes once.
        return draft.pages.len() >= 2 || draft.evidence.machine_readable == page.machine_readable;
    }
    match (draft.last_numbering, page.numbering) {
        (_, Some((number, _))) if number > 1 => false,
        (Some((_, Some(of))), Some((1, _))) => of >= 1,
        (Some(_), Some((1, _))) => true,
        _ => {
            // Without numbers: a page that is headed and as telling as the first one is a first page,
            // for types that fit on one page.
            !takes_pages(current)
                && page.heading
                && page.weight_of(current) >= 0.6 * draft.first.weight_of(current)
        }
    }
}

fn is_identity(document_type: &DocumentType) -> bool {
    matches!(document_type.as_str(), "id_card" | "passport")
}

/// Joins the two sides of a card that came apart: one page with the machine-readable zone and one
/// without.
fn join_card_sides(drafts: &mut Vec<Draft<'_>>) {
    let single_side = |draft: &Draft<'_>, machine_readable: bool| {
        draft.pages.len() == 1
            && draft.document_type().as_str() == "id_card"
            && draft.evidence.machine_readable == machine_readable
    };
    let sides: Vec<usize> = (0..drafts.len())
        .filter(|index| {
            drafts.get(*index).is_some_and(|draft| single_side(draft, true) || single_side(draft, false))
        })
        .collect();
    let fronts: Vec<usize> = sides
        .iter()
        .copied()
        .filter(|index| drafts.get(*index).is_some_and(|draft| single_side(draft, false)))
        .collect();
    let backs: Vec<usize> = sides.into_iter().filter(|index| !fronts.contains(index)).collect();
    if let ([front], [back]) = (fronts.as_slice(), backs.as_slice()) {
        let back_draft = drafts.remove(*back);
        let front_index = if back < front { front - 1 } else { *front };
        if let Some(front_draft) = drafts.get_mut(front_index) {
            front_draft.evidence.add(&back_draft.evidence);
            front_draft.pages.extend(back_draft.pages);
        }
    }
}

/// Joins documents of one type whose pages go on from one file to another.
fn join_parts(drafts: &mut Vec<Draft<'_>>) {
    let mut index = 0;
    while index < drafts.len() {
        let home = drafts.get(index).and_then(|part| home_of(drafts, index, part));
        match home {
            Some(home) if home != index => {
                let part = drafts.remove(index);
                let home = if home > index { home - 1 } else { home };
                if let Some(draft) = drafts.get_mut(home) {
                    draft.evidence.add(&part.evidence);
                    draft.last_numbering = part.last_numbering;
                    draft.pages.extend(part.pages);
                }
                index = 0;
            }
            _ => index += 1,
        }
    }
}

/// The document that a part belongs to: the one whose page numbers it continues, else the one right before it
/// when it is no first page.
fn home_of(drafts: &[Draft<'_>], index: usize, part: &Draft<'_>) -> Option<usize> {
    numbered_home(drafts, index, part).or_else(|| before(drafts, index, part))
}

fn numbered_home(drafts: &[Draft<'_>], index: usize, part: &Draft<'_>) -> Option<usize> {
    let (number, of) = part.first.numbering.filter(|(number, _)| *number > 1)?;
    let part_type = part.document_type();
    let fits = |(other_index, other): &(usize, &Draft<'_>)| {
        *other_index != index
            && (other.document_type() == part_type || part_type.is_unknown())
            && other.last_numbering.is_some_and(|(last, last_of)| last + 1 == number && last_of == of)
    };
    drafts.iter().enumerate().find(fits).map(|(home, _)| home)
}

/// The document that ends in the file before, for a page of it whose numbers cannot be read or are not printed.
fn before(drafts: &[Draft<'_>], index: usize, part: &Draft<'_>) -> Option<usize> {
    let part_type = part.document_type();
    let first_file = part.pages.first()?.file;
    let mut of_type = drafts.iter().enumerate().filter(|(other, draft)| {
        *other != index
            && draft.document_type() == part_type
            && draft.pages.last().is_some_and(|last| last.file + 1 == first_file)
    });
    let (home, draft) = of_type.next()?;
    let next_page = u32::try_from(draft.pages.len()).ok()? + 1;
    let continues = match (draft.last_numbering, part.first.numbering) {
        (None, Some((number, _))) => number == next_page,
        (Some((last, of)), None) => of.is_none_or(|of| of > last) && is_further_page(draft, part),
        (None, None) => is_further_page(draft, part),
        (Some(_), Some(_)) => false,
    };
    continues.then_some(home)
}

/// A page without a heading that says much less of the type than the first one does: no document of its own,
/// for types that take more than a page.
fn is_further_page(draft: &Draft<'_>, part: &Draft<'_>) -> bool {
    let part_type = part.document_type();
    takes_pages(&part_type)
        && !part.first.heading
        && (FURTHER_LEAST..=FURTHER_PAGE * draft.first.weight_of(&part_type))
            .contains(&part.first.weight_of(&part_type))
}

/// Statements and contracts go over several pages; of the other types several are sent, each on a page.
fn takes_pages(document_type: &DocumentType) -> bool {
    matches!(document_type.as_str(), "bank_statement" | "contract")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::testing::page;
    use crate::config::{Bundle, load_document_types};

    const PAYSLIP: &[&str] = &[
        "RECIBO DE SALARIOS",
        "Total devengado 1.500,00",
        "Líquido a percibir 1.200,00",
        "Grupo de cotización 5",
    ];
    const STATEMENT_1: &[&str] = &[
        "EXTRACTO DE CUENTA",
        "Saldo anterior 10,00",
        "Fecha valor Concepto Importe Saldo",
        "Página 1 de 2",
    ];
    const STATEMENT_2: &[&str] =
        &["EXTRACTO DE CUENTA", "Fecha valor Concepto Importe Saldo", "Saldo final 20,00", "Página 2 de 2"];
    const CARD_FRONT: &[&str] =
        &["DOCUMENTO NACIONAL DE IDENTIDAD", "APELLIDOS", "NOMBRE", "FECHA DE NACIMIENTO"];
    const CARD_BACK: &[&str] = &[
        "LUGAR DE NACIMIENTO",
        "IDESPAAA000000112345678Z<<<<<<",
        "8001014F3001012ESP<<<<<<<<<<<4",
        "GARCIA<LOPEZ<<MARIA<<<<<<<<<<<",
    ];

    /// Types and (file, page) of the documents found in files given as pages.
    fn documents(files: &[Vec<Page>]) -> Vec<(String, Vec<(usize, u32)>)> {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let pages: Vec<PageOfFile<'_>> = files
            .iter()
            .enumerate()
            .flat_map(|(file, pages)| pages.iter().map(move |page| PageOfFile { file, page }))
            .collect();
        let documents = group(&pages, &types, &WordModel::default()).into_iter();
        documents
            .map(|document| {
                let pages = document.pages.iter().map(|page| (page.file, page.page.number)).collect();
                (document.document_type.as_str().to_owned(), pages)
            })
            .collect()
    }

    fn named(document_type: &str, pages: &[(usize, u32)]) -> (String, Vec<(usize, u32)>) {
        (document_type.to_owned(), pages.to_vec())
    }

    #[test]
    fn one_file_with_several_documents_is_cut() {
        let file = vec![page(1, PAYSLIP), page(2, STATEMENT_1), page(3, STATEMENT_2), page(4, PAYSLIP)];
        let expected = [
            named("payslip", &[(0, 1)]),
            named("bank_statement", &[(0, 2), (0, 3)]),
            named("payslip", &[(0, 4)]),
        ];
        assert_eq!(documents(&[file]), expected);
    }

    #[test]
    fn a_statement_in_two_files_is_joined_in_the_order_of_its_pages() {
        let files = [vec![page(1, STATEMENT_2)], vec![page(1, STATEMENT_1)]];
        assert_eq!(documents(&files), [named("bank_statement", &[(1, 1), (0, 1)])]);
    }

    #[test]
    fn a_further_page_without_a_number_goes_with_the_document_in_the_file_before() {
        let first: &[&str] = &[
            "EXTRACTO DE CUENTA",
            "Saldo anterior 10,00",
            "Fecha valor Concepto Importe Saldo",
            "Saldo final 20,00",
            "Total abonos 30,00",
            "IBAN de la cuenta",
            "Registro Mercantil de Madrid, tomo 5071, folio 10, hoja 52",
        ];
        let further: &[&str] = &[
            "Fecha valor Concepto Importe Saldo",
            "Saldo final 20,00",
            "Registro Mercantil de Madrid, tomo 5071, folio 10, hoja 52",
        ];
        let files = [vec![page(1, PAYSLIP)], vec![page(1, first)], vec![page(1, further)]];
        let expected = [named("payslip", &[(0, 1)]), named("bank_statement", &[(1, 1), (2, 1)])];
        assert_eq!(documents(&files), expected);
        let two = [vec![page(1, first)], vec![page(1, first)]];
        assert_eq!(documents(&two).len(), 2, "two statements stay two");
        let apart = [vec![page(1, first)], vec![page(1, PAYSLIP)], vec![page(1, further)]];
        assert_eq!(documents(&apart).len(), 3, "what stands between is not skipped");
    }

    #[test]
    fn the_sides_of_a_card_are_joined_front_first() {
        let files = [vec![page(1, CARD_BACK)], vec![page(1, PAYSLIP)], vec![page(1, CARD_FRONT)]];
        assert_eq!(documents(&files), [named("payslip", &[(1, 1)]), named("id_card", &[(2, 1), (0, 1)])]);
    }

    #[test]
    fn a_page_that_says_nothing_is_unknown_and_blank_ones_vanish() {
        let files = [vec![page(1, &["Querida abuela, hace buen tiempo por aquí"])], vec![page(1, &[""])]];
        assert_eq!(documents(&files), [named("unknown", &[(0, 1)])]);
    }
}
