"""Sets a text as ink on an empty canvas from cached glyph bitmaps.

Drawing the same glyph twice is the cost that counts, so a small set of faces is
active at any time: each serves about a hundred lines and is then exchanged.
"""

import random
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

import fonts

SIZES = [11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 27, 30, 34, 38, 44, 52]
SIZE_WEIGHTS = [1, 1.5, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 1]
ACTIVE = 96
# Families that most paperwork is set in, or metric twins of those.
COMMON = ("liberatio", "nimbussan", "nimbusrom", "texgyrehe", "texgyrete", "opensans", "lato", "dejavusan", "tahoma", "arimo", "notosans", "caladea", "clearsans", "cabin", "nimbusmon", "freesans")
USUAL_SHARE = 0.55  # of the letter x in the height from b to p, in the usual sans serif faces
TALL = set("ÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÑÃÕÄÖÜËÏČĎĚŇŘŠŤŮÝŽŚŹŻĆŃŐŰÅȘȚĂ")


def smallness(face):
    """How much oftener a face is drawn because its small letters keep few of a line's 40 rows."""
    font = ImageFont.truetype(face.path, 40, layout_engine=ImageFont.Layout.BASIC)
    x, tall, deep = -font.getbbox("x", anchor="ls")[1], -font.getbbox("Hdl", anchor="ls")[1], font.getbbox("pgq", anchor="ls")[3]
    share = max(0.3, x / max(1, tall + deep))
    return min(3.0, max(1.0, (USUAL_SHARE / share) ** 4))


@dataclass
class Ink:
    """A set line: coverage 0..255, and where its parts lie in pixels."""

    mask: np.ndarray
    text: str
    size: int
    baseline: int
    ascent: int  # of capitals and b, d, l, above the baseline
    descent: int  # of p and q, below it
    words: list = field(default_factory=list)  # (x0, x1, accented capital?)


class Style:
    """One face at one size, with its glyphs drawn once."""

    def __init__(self, face, size):
        self.face, self.size = face, size
        self.covered = set(face.covered)
        self.font = ImageFont.truetype(face.path, size, layout_engine=ImageFont.Layout.BASIC)
        self.glyphs = {}
        self.ascent = max(3, -self.font.getbbox("Hdl", anchor="ls")[1])
        self.descent = max(1, self.font.getbbox("pgq", anchor="ls")[3])
        self.space = max(2.0, self.font.getlength(" "))
        self.shaper = None

    def shaped(self, word):
        """The word as a typesetting program sets it, with kerning and ligatures; like `glyph`."""
        if self.shaper is None:
            self.shaper = ImageFont.truetype(self.face.path, self.size, layout_engine=ImageFont.Layout.RAQM)
        return drawn(self.shaper, word)

    def glyph(self, c):
        """(bitmap, left, top below the baseline, advance)"""
        found = self.glyphs.get(c)
        if found is None:
            found = self.glyphs[c] = drawn(self.font, c)
        return found

    def covers(self, text):
        return all(c in self.covered or c == " " for c in text)


def drawn(font, text):
    """(bitmap, left, top below the baseline, advance)"""
    x0, y0, x1, y1 = font.getbbox(text, anchor="ls")
    x0, y0 = int(np.floor(x0)), int(np.floor(y0))
    image = Image.new("L", (max(1, int(x1) - x0 + 1), max(1, int(y1) - y0 + 1)), 0)
    ImageDraw.Draw(image).text((-x0, -y0), text, fill=255, font=font, anchor="ls")
    return np.asarray(image), x0, y0, font.getlength(text)


class Typesetter:
    """Sets texts in a changing choice of faces and sizes.

    In training, faces with small letters are drawn oftener and words are mostly shaped; test lines keep
    the choices that they were fixed with.
    """

    def __init__(self, rng: random.Random, held=False):
        self.rng = rng
        self.faces = fonts.load(held)
        families = {}
        for f in self.faces:
            families.setdefault(f.family, []).append(f)
        self.shapes = not held and features.check("raqm")
        self.weights = [
            (6.0 if f.family in COMMON else 1.0) * len(families[f.family]) ** -0.5 * (0.4 if f.family == "cmun" else 1) * (1 if held else smallness(f))
            for f in self.faces
        ]
        self.ocr_b = [Style(f, s) for f in self.faces if f.ocr_b for s in SIZES]
        self.monospace = [f for f in self.faces if f.monospace]
        self.active = [self._fresh() for _ in range(ACTIVE)]

    def _fresh(self):
        face = self.rng.choice(self.monospace) if self.rng.random() < 0.06 else self.rng.choices(self.faces, self.weights)[0]
        return Style(face, self.rng.choices(SIZES, SIZE_WEIGHTS)[0])

    def _style_for(self, text):
        r = self.rng
        if r.random() < 0.2:
            self.active[r.randrange(ACTIVE)] = self._fresh()
        if "<<" in text and r.random() < 0.8:
            return r.choice(self.ocr_b)
        for _ in range(5):
            style = r.choice(self.active)
            if style.covers(text) and not ("<<" in text and not style.face.monospace and r.random() < 0.7):
                return style
        return style

    def _spans(self, text, style):
        """The line in one style, or label and value in two of the same size."""
        r = self.rng
        if " " in text and r.random() < 0.08:
            cut = r.choice([i for i, c in enumerate(text) if c == " "])
            for other in r.sample(self.active, 12):
                if abs(other.size - style.size) <= 2 and not other.face.capitals and other.covers(text[cut:]):
                    return [(text[:cut], style), (text[cut:], other)]
        return [(text, style)]

    def set(self, text, style=None):
        r = self.rng
        style = style or self._style_for(text)
        if style.face.capitals:
            text = text.upper()
        text = " ".join("".join(c for c in text if c in style.covered or c == " ").split()) or "0"
        size = style.size
        tracking = 0.0
        k = r.random()
        if k < 0.08:
            tracking = r.uniform(0.03, 0.22) * size
        elif k < 0.3:
            tracking = r.uniform(-0.035, 0.02) * size
        gap = style.space * (r.uniform(0.75, 1.5) if r.random() < 0.4 else 1)
        wide = r.random() < 0.12
        shapes = self.shapes and not tracking and r.random() < 0.8
        placed, words, pen, start, tall = [], [], 0.0, None, False
        for span, face in self._spans(text, style):
            for c in span.replace(" ", "\0 \0").split("\0") if shapes else span:
                if c == " ":
                    if start is not None:
                        words.append((start, int(pen), tall))
                        start, tall = None, False
                    pen += gap + tracking + (r.uniform(0.5, 5) * size if wide and r.random() < 0.3 else 0)
                    continue
                if not c:
                    continue
                bitmap, left, top, advance = face.shaped(c) if shapes else face.glyph(c)
                if start is None:
                    start = int(pen + left)
                tall = tall or not TALL.isdisjoint(c)
                placed.append((bitmap, int(pen + left + 0.5), top))
                pen += advance + tracking
        if start is not None:
            words.append((start, int(pen), tall))
        return self._compose(text, style, placed, words, pen)

    def _compose(self, text, style, placed, words, pen):
        size, side = style.size, style.size
        above, below = int(style.ascent + 0.9 * size), int(style.descent + 0.7 * size)
        mask = np.zeros((above + below, int(pen) + 2 * side + size), np.uint8)
        height, width = mask.shape
        for bitmap, x, top in placed:
            y, x = above + top, x + side
            h, w = bitmap.shape
            if y < 0 or x < 0 or y + h > height or x + w > width:
                continue
            part = mask[y:y + h, x:x + w]
            np.maximum(part, bitmap, out=part)
        return Ink(mask, text, size, above, style.ascent, style.descent, [(a + side, b + side, t) for a, b, t in words])
