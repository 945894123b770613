//! The files of a case, as applicants name and bundle them, and where each document lies in them.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::dice::Dice;
use crate::render::{self, Format, Original, Piece, Rendered, Rendering, pdf};
use crate::scenario::{Case, Planned};
use crate::typeset::Press;

#[derive(Debug)]
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Where a document lies.
#[derive(Debug)]
pub struct Placed {
    pub rendering: Rendering,
    pub dpi: Option<u32>,
    pub encrypted: bool,
    /// Files with their pages, counted from 1.
    pub parts: Vec<(String, Vec<usize>)>,
    /// What each of these pages says.
    pub texts: Vec<String>,
}

#[derive(Debug)]
pub struct Package {
    pub files: Vec<File>,
    pub placed: Vec<Placed>,
}

pub fn package(case: &Case, press: &Press, wanted: &[Rendering], dice: &mut Dice) -> Result<Package> {
    let together = case.documents.len() >= 2 && dice.chance(0.14);
    let mut rendered = Vec::new();
    for (place, planned) in case.documents.iter().enumerate() {
        rendered.push(render_one(case, place, planned, press, wanted, together, dice)?);
    }
    let mut names = Names::default();
    if together {
        return bundle(&rendered, &mut names, dice);
    }
    let mut package = Package { files: Vec::new(), placed: Vec::new() };
    for (planned, made) in case.documents.iter().zip(rendered) {
        place(planned, made, &mut package, &mut names, dice)?;
    }
    Ok(package)
}

fn render_one(
    case: &Case,
    place: usize,
    planned: &Planned,
    press: &Press,
    wanted: &[Rendering],
    pdf_only: bool,
    dice: &mut Dice,
) -> Result<Rendered> {
    let data = planned.doc.data(&planned.layout.name, planned.layout.language());
    let pages = press.typeset(&planned.layout.path, &data)?;
    let chosen: Vec<usize> = if planned.front_only { vec![0] } else { (0..pages.count()).collect() };
    let original = Original {
        pages: &pages,
        chosen,
        card: planned.layout.card,
        name: format!("{}-{place}", case.reference),
    };
    let mut dice = dice.fork(&format!("render-{place}"));
    let rendering = render::choose(wanted, &original, pdf_only, &mut dice);
    render::render(&original, rendering, pdf_only, &mut dice)
}

/// All documents in one PDF.
fn bundle(rendered: &[Rendered], names: &mut Names, dice: &mut Dice) -> Result<Package> {
    let name = names.unique(
        *dice.pick(&["documentacion", "expediente", "todo", "documentos_escaneados", "scan0001"]),
        Format::Pdf.extension(),
    );
    let mut sources = Vec::new();
    let mut placed = Vec::new();
    for made in rendered {
        let mut pages = Vec::new();
        for piece in &made.pieces {
            for page in 1..=piece.pages {
                sources.push((piece.bytes.clone(), page));
                pages.push(sources.len());
            }
        }
        placed.push(Placed {
            rendering: made.rendering,
            dpi: made.dpi,
            encrypted: false,
            parts: vec![(name.clone(), pages)],
            texts: made.texts.clone(),
        });
    }
    let bytes = pdf::pages_of(&sources)?;
    Ok(Package { files: vec![File { name, bytes }], placed })
}

fn place(
    planned: &Planned,
    made: Rendered,
    package: &mut Package,
    names: &mut Names,
    dice: &mut Dice,
) -> Result<()> {
    let encrypted = made.pieces.iter().any(|p| p.format == Format::Pdf && find(&p.bytes, b"/Encrypt"));
    let split = planned.doc.kind == "bank_statement" && !encrypted && dice.chance(0.15);
    let pieces = if split { in_two(made.pieces)? } else { made.pieces };
    let stem = stem(planned.doc.kind, made.rendering, dice);
    let many = pieces.len() > 1;
    let mut parts = Vec::new();
    for (nth, piece) in pieces.into_iter().enumerate() {
        let stem = if many { format!("{stem}{}", suffix(planned.doc.kind, nth)) } else { stem.clone() };
        let extension =
            if dice.chance(0.03) { *dice.pick(&["pdf", "jpg", "png"]) } else { piece.format.extension() };
        let name = names.unique(&stem, extension);
        parts.push((name.clone(), (1..=piece.pages).collect()));
        package.files.push(File { name, bytes: piece.bytes });
    }
    package.placed.push(Placed {
        rendering: made.rendering,
        dpi: made.dpi,
        encrypted,
        parts,
        texts: made.texts,
    });
    Ok(())
}

fn find(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// A PDF of several pages as two files.
fn in_two(pieces: Vec<Piece>) -> Result<Vec<Piece>> {
    let [piece] = &pieces[..] else { return Ok(pieces) };
    if piece.format != Format::Pdf || piece.pages < 2 {
        return Ok(pieces);
    }
    let half = piece.pages / 2;
    let take = |pages: std::ops::RangeInclusive<usize>| -> Result<Piece> {
        let parts: Vec<(Vec<u8>, usize)> = pages.map(|page| (piece.bytes.clone(), page)).collect();
        Ok(Piece { bytes: pdf::pages_of(&parts)?, format: Format::Pdf, pages: parts.len() })
    };
    Ok(vec![take(1..=half)?, take(half + 1..=piece.pages)?])
}

fn stem(kind: &str, rendering: Rendering, dice: &mut Dice) -> String {
    if rendering == Rendering::Photo && dice.chance(0.6) {
        return format!("IMG_2026{:02}{:02}_{}", dice.int(1, 12), dice.int(1, 28), dice.digits(6));
    }
    if rendering == Rendering::Scan && dice.chance(0.25) {
        return format!("scan{}", dice.digits(4));
    }
    let names: &[&str] = match kind {
        "id_card" => &["dni", "documento_identidad", "id", "tarjeta"],
        "passport" => &["pasaporte", "passport"],
        "bank_statement" => &["extracto", "movimientos", "extracto_cuenta", "statement"],
        "payslip" => &["nomina", "recibo_nomina", "payslip"],
        "contract" => &["contrato", "contrato_prestamo", "contract"],
        "claim_form" => &["reclamacion", "formulario", "parte", "claim"],
        "energy_invoice" => &["factura_luz", "factura", "bill"],
        "repair_invoice" => &["factura_taller", "factura_reparacion", "invoice"],
        _ => &["denuncia", "atestado", "police_report"],
    };
    (*dice.pick(names)).to_owned()
}

fn suffix(kind: &str, nth: usize) -> String {
    match (kind, nth) {
        ("id_card", 0) => "_anverso".to_owned(),
        ("id_card", 1) => "_reverso".to_owned(),
        _ => format!("_{}", nth + 1),
    }
}

#[derive(Debug, Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn unique(&mut self, stem: &str, extension: &str) -> String {
        let mut name = format!("{stem}.{extension}");
        let mut nth = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{stem} ({nth}).{extension}");
            nth += 1;
        }
        name
    }
}
