"""Sets a text as ink on an empty canvas from cached glyph bitmaps.

Drawing the same glyph twice is the cost that counts, so a small set of faces is
active at any time: each serves about a hundred lines and is then exchanged. Some
serve with hairlines: display faces of high contrast are few among free fonts.
"""

import random
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

import fonts

SIZES = [11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 27, 30, 34, 38, 44, 52]
SIZE_WEIGHTS = [1, 1.5, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 1]
ACTIVE = 96
# Families that most paperwork is set in, or metric twins of those.
COMMON = ("liberatio", "nimbussan", "nimbusrom", "texgyrehe", "texgyrete", "opensans", "lato", "dejavusan", "tahoma", "arimo", "notosans", "caladea", "clearsans", "cabin", "nimbusmon", "freesans")
USUAL_SHARE = 0.55  # of the letter x in the height from b to p, in the usual sans serif faces
HAIRLINE_SHARE = 0.12  # of faces in training
HAIRLINE = (0.3, 0.75)  # of a crossbar's thickness that is left
CONDENSED_SHARE, CONDENSED = 0.3, (0.55, 0.9)  # of lines in hairline faces, and the part of their width that is left
FINE = 4  # hairlines are thinned at so many times the size
BLOB = 1.25  # what is so many crossbars thick both ways (dots, heavy stems) is no hairline
COMB_SHARE = 0.1  # of short texts in capitals and digits, in training
LONGEST_COMB = 26
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
    """One face at one size, with its glyphs drawn once; `hairline` is the part of horizontal strokes that is left."""

    def __init__(self, face, size, hairline=None):
        self.face, self.size, self.hairline = face, size, hairline
        self.covered = set(face.covered)
        self.font = self._font(ImageFont.Layout.BASIC)
        self.fine = self._font(ImageFont.Layout.BASIC, FINE) if hairline else None
        self.bar = crossbar(self.fine) if hairline else None
        self.glyphs = {}
        self.ascent = max(3, -self.font.getbbox("Hdl", anchor="ls")[1])
        self.descent = max(1, self.font.getbbox("pgq", anchor="ls")[3])
        self.space = max(2.0, self.font.getlength(" "))
        self.shaper = None

    def shaped(self, word):
        """The word as a typesetting program sets it, with kerning and ligatures; like `glyph`."""
        if self.shaper is None:
            self.shaper = self._font(ImageFont.Layout.RAQM, FINE if self.hairline else 1)
        return self._drawn(self.shaper, word)

    def glyph(self, c):
        """(bitmap, left, top below the baseline, advance)"""
        found = self.glyphs.get(c)
        if found is None:
            found = self.glyphs[c] = self._drawn(self.fine or self.font, c)
        return found

    def _font(self, layout, times=1):
        return ImageFont.truetype(self.face.path, self.size * times, layout_engine=layout)

    def _drawn(self, font, text):
        return drawn_thin(font, text, self.bar, self.hairline) if self.hairline else drawn(font, text)

    def covers(self, text):
        return all(c in self.covered or c == " " for c in text)


def drawn(font, text):
    """(bitmap, left, top below the baseline, advance)"""
    x0, y0, x1, y1 = font.getbbox(text, anchor="ls")
    x0, y0 = int(np.floor(x0)), int(np.floor(y0))
    image = Image.new("L", (max(1, int(x1) - x0 + 1), max(1, int(y1) - y0 + 1)), 0)
    ImageDraw.Draw(image).text((-x0, -y0), text, fill=255, font=font, anchor="ls")
    return np.asarray(image), x0, y0, font.getlength(text)


def fits_comb(text):
    """What forms have cells for: numbers, codes, dates, names in capitals."""
    return 2 <= len(text) <= LONGEST_COMB and "<" not in text and text == text.upper()


def crossbar(font):
    """Thickness of the bar of an H, in pixels."""
    image = drawn(font, "H")[0]
    return max(1, int((image[:, image.shape[1] // 2] > 127).sum()))


def drawn_thin(font, text, bar, left):
    """Like `drawn`, from a font `FINE` times as large whose horizontal strokes, `bar` thick, keep the part `left`."""
    image, x0, y0, advance = drawn(font, text)
    kept = cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((round(bar * BLOB),) * 2, np.uint8))
    thin = np.maximum(cv2.erode(image, np.ones((1 + round(bar * (1 - left)), 1), np.uint8)), kept)
    before_y, before_x = y0 % FINE, x0 % FINE  # whole pixels of the small picture
    h, w = (-(-(n + before) // FINE) for n, before in zip(image.shape, (before_y, before_x)))
    canvas = np.zeros((h * FINE, w * FINE), np.uint8)
    canvas[before_y:before_y + image.shape[0], before_x:before_x + image.shape[1]] = thin
    return cv2.resize(canvas, (w, h), interpolation=cv2.INTER_AREA), x0 // FINE, y0 // FINE, advance / FINE


def condensed(ink, factor):
    """The line with its widths multiplied, as in a condensed cut."""
    mask = cv2.resize(ink.mask, None, fx=factor, fy=1, interpolation=cv2.INTER_AREA)
    return replace(ink, mask=mask, words=[(int(a * factor), int(b * factor), tall) for a, b, tall in ink.words])


class Typesetter:
    """Sets texts in a changing choice of faces and sizes.

    In training, faces with small letters are drawn oftener, words are mostly shaped, some faces get
    hairlines, and some texts stand in combs; test lines keep the choices that they were fixed with.
    """

    def __init__(self, rng: random.Random, held=False):
        self.rng = rng
        self.faces = fonts.load(held)
        families = {}
        for f in self.faces:
            families.setdefault(f.family, []).append(f)
        self.trains = not held
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
        size = self.rng.choices(SIZES, SIZE_WEIGHTS)[0]
        thins = self.trains and not face.ocr_b and self.rng.random() < HAIRLINE_SHARE
        return Style(face, size, self.rng.uniform(*HAIRLINE) if thins else None)

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
        if self.trains and fits_comb(text) and r.random() < COMB_SHARE:
            return self.comb(text, style)
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
        ink = self._compose(text, style, placed, words, pen)
        return condensed(ink, r.uniform(*CONDENSED)) if style.hairline and r.random() < CONDENSED_SHARE else ink

    def comb(self, text, style):
        """The text in the cells of a form, one character to a cell: each is a word, and dividers stand between."""
        r, size = self.rng, style.size
        pitch = size * r.uniform(0.7, 1.5)
        placed, words, read = [], [], []
        for cell, c in enumerate(text):
            if c == " ":
                continue
            bitmap, left, top, advance = style.glyph(c)
            pen = cell * pitch + (pitch - advance) / 2
            placed.append((bitmap, int(pen + left + 0.5), top))
            words.append((int(pen + left), int(pen + left) + bitmap.shape[1], c in TALL))
            read.append(c)
        cells = len(text) + r.choice((0, 0, 0, 1, 3))
        ink = self._compose(" ".join(read), style, placed, words, (cells + 1) * pitch)
        thick, strength = max(1, int(size * r.uniform(0.02, 0.07))), r.uniform(70, 255)
        top = ink.baseline - int(ink.ascent * r.choice((0.2, 0.5, r.uniform(0.9, 1.6))))
        foot = ink.baseline + int(size * r.uniform(0.08, 0.4))
        sides = [int(size + k * pitch) for k in range(cells + 1)]
        for x in sides:
            part = ink.mask[max(0, top):foot, max(0, x - thick // 2):x - thick // 2 + thick]
            np.maximum(part, np.uint8(strength), out=part)
        for y in [foot] * (r.random() < 0.8) + [max(0, top)] * (r.random() < 0.3):
            part = ink.mask[y:y + thick, sides[0]:sides[-1]]
            np.maximum(part, np.uint8(strength), out=part)
        return ink

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
