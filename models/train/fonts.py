"""Which fonts the lines and pages are drawn with, and which of them are held out.

Fonts and word lists come from Debian packages that `make fonts` downloads and
unpacks into the work folder; nothing is installed on the machine and none of
them is part of the product.
"""

import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageDraw, ImageFont

from alphabet import ALPHABET

WORK = Path(os.environ.get("TRAIN_WORK", Path(__file__).resolve().parent / "work"))
ROOT = Path(os.environ.get("TRAIN_FONTS", WORK / "fonts"))

# Families that no training line or page may use. Fixed before the first run
# (the starting weights never saw them either): never tune on them.
HELD_OUT = (
    "roboto", "carlito", "linlibertine", "linbiolinum", "courier prime", "courierprime",
    "texgyreschola", "c059", "inconsolata", "notoserifdisplay",
)
# Faces that are not plain text: symbols, swash, outlines, unreadably thin.
UNUSED = re.compile(
    r"math|symbol|d050|z003|initials|hairline|thin|extralight|chorus|dunh|_k\.|ocrb[efxls]\.|"
    r"keyboard|fallback|sansquot|rz\.|rzi\.|libertine_i\.|emoji|music|cmbr|cmfib|cmex|cmsy|cmmi|cmff|"
    r"webdings|wingding|marlett|ornament|scsc|glasstty.*x|dotgothic|_csur|upper"
)
NOTO_KEPT = re.compile(r"noto(sans|serif|sansmono|sansdisplay|serifdisplay)-")
MONOSPACE = re.compile(r"mono|cour|cursor|incons|3270|hack|typewriter|tty|hermit|anonym|fira.?code|gomono")
NEEDED = set("ABCabc0123456789.,-/:")
# A held-out face drawn again under another name is as near as this (ink, advance widths); faces of
# different designs are 0.06 apart and more.
COMPARED = "abdeghnqrtyksGRQ25&"
SAME_INK, SAME_WIDTHS, NEARLY_SAME_INK = 0.05, 0.01, 0.07


@dataclass(frozen=True)
class Face:
    """One font file and the characters of the alphabet that it can draw."""

    path: str
    covered: str
    family: str
    held_out: bool
    monospace: bool
    ocr_b: bool
    capitals: bool  # small letters look like the great ones, or like small capitals


def _family(name):
    return "cmun" if name.startswith("cmun") else re.split(r"[-_.\[\d]", name)[0][:9]


def _shape(font, character):
    """The character's ink alone, at one size for all."""
    x0, y0, x1, y1 = font.getbbox(character, anchor="ls")
    image = Image.new("L", (max(1, int(x1 - x0)), max(1, int(y1 - y0))), 0)
    ImageDraw.Draw(image).text((-x0, -y0), character, fill=255, font=font, anchor="ls")
    return np.asarray(image.resize((24, 24), Image.Resampling.BILINEAR), np.float32) / 255


def _capitals_only(path):
    """Whether small letters have the shapes of capitals: 0.09 apart at most where they do, 0.18 at least elsewhere."""
    font = ImageFont.truetype(str(path), 60, layout_engine=ImageFont.Layout.BASIC)
    return bool(np.mean([np.abs(_shape(font, c) - _shape(font, c.upper())).mean() for c in "abdeghnqrt"]) < 0.13)


def _drawn(face):
    """-> shapes and relative advance widths of the compared characters"""
    font = ImageFont.truetype(face.path, 60, layout_engine=ImageFont.Layout.BASIC)
    widths = np.array([font.getlength(c) for c in COMPARED])
    return np.stack([_shape(font, c) for c in COMPARED]), widths / widths.mean()


def _drawn_again(faces):
    """Names of the families for training that show a held-out one under another name."""
    held = [_drawn(f) for f in faces if f.held_out]
    again = set()
    for face in faces:
        if face.held_out or face.ocr_b:
            continue
        ink, widths = _drawn(face)
        for held_ink, held_widths in held:
            off = np.abs(ink - held_ink).mean()
            if off < SAME_INK or off < NEARLY_SAME_INK and np.abs(widths - held_widths).mean() < SAME_WIDTHS:
                again.add(_whole_name(face))
                break
    return again


def _whole_name(face):
    return re.split(r"[-_.]", Path(face.path).name.lower())[0]


def scan():
    """All usable faces under the unpacked packages, in a fixed order; none for training that shows a held-out one."""
    faces, wanted = [], set(ALPHABET)
    for path in sorted(ROOT.rglob("*.[to]tf")):
        name = path.name.lower()
        if UNUSED.search(name) or (name.startswith("noto") and not NOTO_KEPT.match(name)):
            continue
        try:
            font = TTFont(path, lazy=True, fontNumber=0)
            covered = wanted & {chr(c) for c in font.getBestCmap()}
            for size in (11, 27):  # bitmap-only fonts fail at sizes they lack
                ImageFont.truetype(str(path), size)
        except (TTLibError, OSError, KeyError, TypeError, AttributeError):
            continue
        if not NEEDED <= covered:
            continue
        faces.append(Face(
            path=str(path), covered="".join(sorted(covered)), family=_family(name),
            held_out=any(h in name for h in HELD_OUT),
            monospace=bool(MONOSPACE.search(name)), ocr_b=name == "ocrb.otf",
            capitals=_capitals_only(path),
        ))
    again = _drawn_again(faces)
    print("left out, drawn like held-out faces:", ", ".join(sorted(again)) or "none", file=sys.stderr)
    return [f for f in faces if f.held_out or f.ocr_b or _whole_name(f) not in again]


def load(held_out):
    """Faces of one side of the split; OCR-B is on both, for MRZ lines."""
    cache = WORK / "faces.json"
    if not cache.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps([asdict(f) for f in scan()]), encoding="utf-8")
    faces = [Face(**f) for f in json.loads(cache.read_text(encoding="utf-8"))]
    return [f for f in faces if f.held_out == held_out or f.ocr_b]


def words(name):
    """A word list of the unpacked packages."""
    return (ROOT / "usr/share/dict" / name).read_text(encoding="utf-8", errors="ignore").split("\n")


if __name__ == "__main__":
    (WORK / "faces.json").unlink(missing_ok=True)
    print(len(load(False)), "training faces,", len(load(True)), "held-out faces")
