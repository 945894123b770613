//! PDF files: of JPEG pages, of pages taken from other files, encrypted with an empty password.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use lopdf::{
    Dictionary, Document, EncryptionState, EncryptionVersion, Object, ObjectId, Permissions, Stream,
    StringFormat, dictionary,
};

/// One page for each JPEG (bytes, width, height), as large as its resolution says.
pub fn of_jpegs(pages: &[(Vec<u8>, u32, u32)], dpi: u32) -> Result<Vec<u8>> {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let mut kids = Vec::new();
    for (bytes, width, height) in pages {
        let picture = dictionary! {
            "Type" => "XObject", "Subtype" => "Image", "Width" => i64::from(*width), "Height" => i64::from(*height),
            "ColorSpace" => "DeviceRGB", "BitsPerComponent" => 8, "Filter" => "DCTDecode",
        };
        let picture = document.add_object(Stream::new(picture, bytes.clone()).with_compression(false));
        let points = |pixels: u32| f64::from(pixels) * 72.0 / f64::from(dpi);
        let (w, h) = (points(*width), points(*height));
        let drawing = format!("q {w:.2} 0 0 {h:.2} 0 0 cm /Im0 Do Q");
        let contents = document.add_object(Stream::new(Dictionary::new(), drawing.into_bytes()));
        let page = document.add_object(dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => contents,
            "MediaBox" => vec![0.into(), 0.into(), Object::Real(w as f32), Object::Real(h as f32)],
            "Resources" => dictionary! { "XObject" => dictionary! { "Im0" => picture } },
        });
        kids.push(page);
    }
    finish(document, tree, &kids)
}

fn finish(mut document: Document, tree: ObjectId, kids: &[ObjectId]) -> Result<Vec<u8>> {
    let count = kids.len() as i64;
    let kids: Vec<Object> = kids.iter().map(|id| Object::Reference(*id)).collect();
    document.objects.insert(
        tree,
        Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }),
    );
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes)?;
    Ok(bytes)
}

/// A new file of pages (from 1) taken from others.
pub fn pages_of(parts: &[(Vec<u8>, usize)]) -> Result<Vec<u8>> {
    let mut document = Document::with_version("1.7");
    let tree = document.new_object_id();
    let mut kids = Vec::new();
    let mut next = tree.0 + 1;
    for (bytes, wanted) in parts {
        let mut source = Document::load_mem(bytes).context("reading a PDF that was just made")?;
        source.renumber_objects_with(next);
        next = source.max_id + 1;
        let id = *source
            .get_pages()
            .get(&(*wanted as u32))
            .ok_or_else(|| anyhow!("the PDF has no page {wanted}"))?;
        let page = standing_alone(&source, id, tree)?;
        let mut needed: BTreeMap<ObjectId, Object> = BTreeMap::new();
        gather(&source, &Object::Dictionary(page.clone()), &mut needed, tree);
        document.objects.extend(needed);
        document.objects.insert(id, Object::Dictionary(page));
        kids.push(id);
    }
    document.max_id = next;
    finish(document, tree, &kids)
}

/// The page with what it inherits written into it.
fn standing_alone(source: &Document, id: ObjectId, tree: ObjectId) -> Result<Dictionary> {
    let mut page = source.get_dictionary(id)?.clone();
    let mut parent = page.get(b"Parent").and_then(Object::as_reference).ok();
    while let Some(above) = parent {
        let node = source.get_dictionary(above)?;
        for key in ["Resources", "MediaBox", "CropBox", "Rotate"] {
            if let (false, Ok(value)) = (page.has(key.as_bytes()), node.get(key.as_bytes())) {
                page.set(key, value.clone());
            }
        }
        parent = node.get(b"Parent").and_then(Object::as_reference).ok();
    }
    page.set("Parent", tree);
    page.remove(b"Annots");
    page.remove(b"StructParents");
    Ok(page)
}

fn gather(source: &Document, object: &Object, needed: &mut BTreeMap<ObjectId, Object>, tree: ObjectId) {
    match object {
        Object::Reference(id) if *id != tree && !needed.contains_key(id) => {
            if let Ok(found) = source.get_object(*id) {
                needed.insert(*id, found.clone());
                gather(source, found, needed, tree);
            }
        }
        Object::Array(items) => items.iter().for_each(|item| gather(source, item, needed, tree)),
        Object::Dictionary(items) => items.iter().for_each(|(_, item)| gather(source, item, needed, tree)),
        Object::Stream(stream) => stream.dict.iter().for_each(|(_, item)| gather(source, item, needed, tree)),
        _ => {}
    }
}

/// The same file, encrypted (RC4, 128 bits, which needs no chance) so that it opens with an empty password.
pub fn encrypted(bytes: &[u8], identity: &str) -> Result<Vec<u8>> {
    let mut document = Document::load_mem(bytes)?;
    let mark: Vec<u8> = identity.bytes().cycle().take(16).collect();
    let mark = Object::String(mark, StringFormat::Hexadecimal);
    document.trailer.set("ID", vec![mark.clone(), mark]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: "",
        key_length: 128,
        permissions: Permissions::PRINTABLE | Permissions::COPYABLE,
    };
    let state = EncryptionState::try_from(version).map_err(|e| anyhow!("encrypting a PDF: {e}"))?;
    document.encrypt(&state)?;
    let mut out = Vec::new();
    document.save_to(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_taken_and_put_together() {
        let picture =
            crate::render::jpeg::encode(&image::RgbImage::from_pixel(8, 8, image::Rgb([200; 3])), 80)
                .unwrap();
        let two = of_jpegs(&[(picture.clone(), 8, 8), (picture, 8, 8)], 72).unwrap();
        assert_eq!(Document::load_mem(&two).unwrap().get_pages().len(), 2);
        let three = pages_of(&[(two.clone(), 2), (two.clone(), 1), (two, 2)]).unwrap();
        assert_eq!(Document::load_mem(&three).unwrap().get_pages().len(), 3);
    }
}
