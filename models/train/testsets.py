"""The test lines, fixed by seed before the first training run. Never tune on them.

All are drawn in held-out faces (MRZ in OCR-B, of which there is one face) with
held-out words; numbers are random anyway.
"""

from functools import partial

from lines import LineSource

SEED = 20260101
CLEAN_200_DPI = (24, 27, 30, 34)  # pixels of 9 to 12 pt text at 200 dpi


def general_lines(n=1500):
    """Everything, at the difficulty of training."""
    return LineSource(SEED, held=True).lines(n)


def accent_lines(n=400):
    """Legible Spanish sentences: rendered or scanned well."""
    source = LineSource(SEED + 1, held=True, severity=0.5)
    words, out = source.wording, []
    while len(out) < n:
        text = " ".join(source.rng.choice(words.accented) for _ in range(source.rng.randint(1, 5)))
        k = source.rng.random()
        text = text.upper() if k < 0.25 else text.capitalize() if k < 0.6 else text
        out += [v for v in source.variants(text, source.rng.choice(("digital", "scan")), 1) if len(v[1]) == len(text)]
    return out[:n]


def field_lines(kind, n=300):
    """One field on a clean scan of 200 dpi: `dni`, `iban`, `amount` or `date`."""
    source = LineSource(SEED + 2 + "dni iban amount date".split().index(kind), held=True, severity=0.5)
    draw, out = getattr(source.wording, kind), []
    plain = [f for f in source.typesetter.faces if not f.ocr_b]
    while len(out) < n:
        out += clean(source, draw(), plain)
    return out[:n]


def clean(source, text, faces):
    """A line of 9 to 12 pt text as a good scanner at 200 dpi gives it."""
    from typeset import Style

    style = Style(source.rng.choice(faces), source.rng.choice(CLEAN_200_DPI))
    if not style.covers(text):
        return []
    ink = source.typesetter.set(text, style)
    return [(i, ink.text) for i in [source.degrader.line(ink, "scan")] if i is not None]


def mrz_lines(medium, n=200):
    """Lines of machine readable zones; `medium` is scan, photo or fax."""
    source = LineSource(SEED + 10 + len(medium), held=True, severity=0.8)
    out = []
    while len(out) < n:
        out += source.variants(source.wording.mrz(), medium, 1)
    return out[:n]


ALL = {
    "general": general_lines, "accents": accent_lines,
    **{f"{kind} clean 200 dpi": partial(field_lines, kind) for kind in ("dni", "iban", "amount", "date")},
    **{f"mrz {medium}": partial(mrz_lines, medium) for medium in ("scan", "photo", "fax")},
}
