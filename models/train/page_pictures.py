"""The pages of a sample folder as pictures, with what they say."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from PIL import Image, ImageOps, ImageSequence

BORN_DIGITAL_DPI = 200  # at which pages without pixels are drawn


@dataclass(frozen=True)
class SamplePage:
    """One page of one file; `picture` draws it."""

    file: Path
    number: int  # from 1
    rendering: str
    dpi: int
    seen: bool  # of a layout that may be looked at
    text: str

    @property
    def name(self):
        return f"{self.file.parent.name}/{self.file.name}.{self.number}"

    def picture(self):
        data = self.file.read_bytes()
        if data.startswith(b"%PDF"):
            return pdf_page(data, self.number, self.dpi)
        frame = ImageSequence.Iterator(Image.open(io.BytesIO(data)))[self.number - 1]
        return square(frame)


def pdf_page(data, number, dpi):
    page = pypdfium2.PdfDocument(data)[number - 1]
    return page.render(scale=dpi / 72).to_pil().convert("RGB")


def square(frame):
    """Upright by its tag, with pixels as wide as high: a fax may have half the rows."""
    across, down = (float(v) for v in frame.info.get("dpi", (1, 1)))
    picture = ImageOps.exif_transpose(frame).convert("RGB")
    if across and down and not 0.9 < across / down < 1.1:
        picture = picture.resize((picture.width, round(picture.height * across / down)), Image.Resampling.BILINEAR)
    return picture


def sample_pages(folder):
    """All pages that have a text, in a fixed order."""
    for labels in sorted(Path(folder).glob("truth/*/*.json")):
        case = json.loads(labels.read_text(encoding="utf-8"))
        place = Path(case["flow"]) / case["reference"]
        for document in case["documents"]:
            for part in document["parts"]:
                for number in part["pages"]:
                    text = Path(folder) / "text" / place / f"{part['file']}.{number}.txt"
                    if text.exists():
                        yield SamplePage(
                            Path(folder) / "inbox" / place / part["file"], number, document["rendering"],
                            document["dpi"] or BORN_DIGITAL_DPI, document["seen"], text.read_text(encoding="utf-8"),
                        )
