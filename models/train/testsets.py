"""The test lines, fixed by seed before the first training run. Never tune on them.

All are drawn in held-out faces (MRZ in OCR-B, of which there is one face) with
held-out words; numbers are random anyway.
"""

from functools import partial

import numpy as np

from degrade import HEIGHT
from lines import LineSource
from typeset import LONGEST_COMB, Style

SEED = 20260101
FIELDS = ("dni", "iban", "amount", "date")
CLEAN_200_DPI = (24, 27, 30, 34)  # pixels of 9 to 12 pt text at 200 dpi


def general_lines(n=1500):
    """Everything, at the difficulty of training."""
    return LineSource(SEED, held=True).lines(n)


def accent_lines(n=400):
    """Spanish words with accents, legible: a clean scan at 200 dpi."""
    source = LineSource(SEED + 1, held=True)
    words, out = source.wording, []
    while len(out) < n:
        text = " ".join(source.rng.choice(words.accented) for _ in range(source.rng.randint(1, 5)))
        k = source.rng.random()
        out += clean(source, text.upper() if k < 0.25 else text.capitalize() if k < 0.6 else text)
    return out[:n]


def field_lines(kind, n=300, families=None):
    """One field on a clean scan of 200 dpi: `dni`, `iban`, `amount` or `date`; appends the family of each line to `families`."""
    source = LineSource(SEED + 2 + FIELDS.index(kind), held=True)
    draw, out = getattr(source.wording, kind), []
    while len(out) < n:
        out += clean(source, draw(), families)
    return out[:n]


def prose_lines(n=300):
    """Running text on a clean scan: the short words and the spaces beside them."""
    source, out = LineSource(SEED + 20, held=True), []
    while len(out) < n:
        out += clean(source, source.wording.prose())
    return out[:n]


def comb_lines(n=200):
    """Fields in the cells of a form on a clean scan: each character is a word."""
    source, out = LineSource(SEED + 30, held=True), []
    while len(out) < n:
        text = getattr(source.wording, source.rng.choice(FIELDS))().upper()
        out += clean(source, text, combed=True) if len(text) <= LONGEST_COMB else []
    return out[:n]


def clean(source, text, families=None, combed=False):
    """The text in 9 to 12 pt as a good scanner at 200 dpi gives it, when the face can; else no line."""
    setter = source.typesetter
    face = source.rng.choices(setter.faces, setter.weights)[0]
    style = Style(face, source.rng.choice(CLEAN_200_DPI))
    if face.ocr_b or not style.covers(text):
        return []
    ink = setter.comb(text, style) if combed else setter.set(text, style)
    image = source.degrader.clean_scan(ink)
    if image is None or ink.text != (" ".join(text.replace(" ", "")) if combed else text):
        return []
    if families is not None:
        families.append(face.family)
    return [(image, ink.text)]


def mrz_lines(medium, n=200):
    """Lines of machine readable zones; `medium` is scan, photo or fax."""
    source = LineSource(SEED + 10 + len(medium), held=True, severity=0.8)
    out = []
    while len(out) < n:
        out += source.variants(source.wording.mrz(), medium, 1)
    return out[:n]


def drawn_lines(path):
    """Lines drawn by another generator, at its own difficulty: 40 rows each, one after the other in `flat`."""
    stored = np.load(path)
    ends = np.cumsum(stored["w"].astype(np.int64) * HEIGHT)
    pieces = np.split(stored["flat"], ends[:-1])
    return [(p.reshape(HEIGHT, -1), t) for p, t in zip(pieces, str(stored["t"]).split("\n"))]


ALL = {
    "general": general_lines, "accents": accent_lines,
    **{f"{kind} clean 200 dpi": partial(field_lines, kind) for kind in FIELDS},
    "prose clean 200 dpi": prose_lines,
    "combs clean 200 dpi": comb_lines,
    **{f"mrz {medium}": partial(mrz_lines, medium) for medium in ("scan", "photo", "fax")},
}
