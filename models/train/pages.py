"""Page crops with a mask of their words, for the detector.

A crop is laid out as paperwork is (paragraphs, labels with values, tables, cards,
headings), with things that are not text strewn in: specks, punch holes, rules,
stamps, bar codes, photographs, logos, guilloche.
"""

import math
import random

import cv2
import numpy as np

from clutter import Clutter
from degrade import background
from typeset import Style, Typesetter
from wording import Wording

SIDE = 512
BODY_SIZES = [8, 9, 10, 11, 12, 13, 14, 16, 18, 22, 28]
# The product cuts at 3 px more than the mask gives: the mask is that much smaller.
SHRINK_PX, SHRINK_SHARE = 2.5, 0.22
BLOCKS = {"paragraph": 34, "fields": 25, "table": 27, "heading": 9, "rule": 5}  # of the fixed test crops
PRACTICE = BLOCKS | {"zone": 4}  # what training draws
WIDEST_ZONE = 3.4  # in crops: a card's view is 1600 pixels wide


class PageSource:
    """Endless crops from one seed."""

    def __init__(self, seed, held=False):
        self.rng = random.Random(seed)
        self.wording = Wording(self.rng, held)
        self.typesetter = Typesetter(self.rng, held)
        self.blocks = BLOCKS if held else PRACTICE
        self.zone_faces = [f for f in self.typesetter.faces if f.ocr_b]
        numbers = np.random.default_rng(seed)
        self.noise_bank = numbers.standard_normal(1 << 21).astype(np.float32)
        self.backgrounds = [background(k, numbers, 600, 600) for k in range(24)]
        self.styles = {}
        self.clutter = Clutter(self.rng, numbers)

    def crop(self, side=SIDE):
        """-> grey image and mask (1 inside words), both uint8 side x side"""
        page = Sheet(self, side)
        page.fill()
        return page.finish()

    def style(self, face, size):
        size = max(7, int(size))
        key = (face.path, size)
        if key not in self.styles:
            if len(self.styles) > 400:
                self.styles.clear()
            self.styles[key] = Style(face, size)
        return self.styles[key]

    def face(self):
        return self.rng.choices(self.typesetter.faces, self.typesetter.weights)[0]


class Sheet:
    """One crop in the making: ink on paper, and the boxes of its words."""

    def __init__(self, source, side):
        self.s, self.rng, self.side = source, source.rng, side
        r = self.rng
        self.paper = r.uniform(190, 255) if r.random() < 0.82 else r.uniform(110, 200)
        self.image = np.full((side, side), self.paper, np.float32)
        self.boxes = []
        self.base = r.choice(BODY_SIZES) if r.random() < 0.88 else r.randint(28, 60)
        self.family = source.face()

    # -- setting words -----------------------------------------------------------
    def font(self, scale=1.0):
        face = self.family if self.rng.random() < 0.7 else self.s.face()
        return self.s.style(face, self.base * scale)

    def ink_tone(self):
        r = self.rng
        return r.uniform(0, 90) if r.random() < 0.85 else max(0.0, self.paper - r.uniform(50, 140))

    def words(self, x, y, text, style, tone, stop):
        """Sets words from x along the baseline y until `stop`; -> where they end."""
        gap = style.space * self.rng.uniform(0.85, 1.3)
        for word in text.split():
            word = "".join(c for c in word if c in style.covered)
            width = sum(style.glyph(c)[3] for c in word)
            if not word or x + width > stop:
                break
            self._word(x, y, word, style, tone)
            x += width + gap
        return x

    def _word(self, x, y, word, style, tone, tracking=0.0):
        pen, lowest, highest = x, y, y
        for c in word:
            bitmap, left, top, advance = style.glyph(c)
            self._blend(int(pen + left + 0.5), int(y + top), bitmap, tone)
            highest = min(highest, y + top)
            pen += advance + tracking
        top = min(y - style.ascent, highest) if highest < y - style.ascent * 1.08 else y - style.ascent
        self.boxes.append((x, top, pen, max(y + style.descent, lowest)))

    def _blend(self, x, y, bitmap, tone):
        h, w = bitmap.shape
        y0, y1, x0, x1 = max(0, y), min(self.side, y + h), max(0, x), min(self.side, x + w)
        if y1 <= y0 or x1 <= x0:
            return
        cover = bitmap[y0 - y:y1 - y, x0 - x:x1 - x].astype(np.float32) / 255
        part = self.image[y0:y1, x0:x1]
        part += (tone - part) * cover

    # -- blocks ------------------------------------------------------------------
    def fill(self):
        r, side = self.rng, self.side
        if r.random() < 0.3:
            piece = r.choice(self.s.backgrounds)[:side, :side]
            self.image += piece * r.uniform(4, 34)
        for _ in range(r.choice((0, 0, 1, 1, 2, 3))):
            self.s.clutter.draw(self.image, self.paper)
        columns = r.choice((1, 1, 2, 3)) if r.random() < 0.5 else 1
        wide = side / columns
        empty = r.random() < 0.05  # a crop of nothing but clutter and rules
        for k in range(columns):
            left, right = k * wide + r.uniform(3, 0.1 * wide), (k + 1) * wide - r.uniform(3, 0.1 * wide)
            y = r.uniform(-10, 30)
            while y < side + 20 and not empty:
                block = r.choices(list(self.s.blocks), list(self.s.blocks.values()))[0]
                y = getattr(self, block)(left, right, y) + r.uniform(0, self.base * 2.4)
        for _ in range(r.choice((0, 0, 0, 1, 2))):
            self.s.clutter.over(self.image, self.paper)

    def paragraph(self, left, right, y):
        r, style, tone = self.rng, self.font(1 if self.rng.random() < 0.7 else self.rng.uniform(0.7, 1.6)), self.ink_tone()
        pitch = (style.ascent + style.descent) * (r.uniform(1.0, 1.15) if r.random() < 0.4 else r.uniform(1.1, 1.8))
        for _ in range(r.randint(1, 10)):
            y += pitch
            stop = right if r.random() < 0.8 else left + (right - left) * r.random()
            self.words(left, y, self.s.wording.sentence(max(2, int((stop - left) / (style.size * 2)))), style, tone, stop)
        return y

    def fields(self, left, right, y):
        r, style, tone = self.rng, self.font(), self.ink_tone()
        value = self.font() if r.random() < 0.4 else style
        for _ in range(r.randint(1, 7)):
            y += (style.ascent + style.descent) * r.uniform(1.05, 1.7)
            x = self.words(left + r.choice((0, 0, r.uniform(0, (right - left) * 0.5))), y, self.s.wording.line(50), style, tone, right)
            if r.random() < 0.5:
                draw = r.choice((self.s.wording.amount, self.s.wording.date, self.s.wording.identifier))
                self.words(max(x + style.size * r.uniform(0.5, 3), left + (right - left) * r.uniform(0.3, 0.8)), y, draw(), value, tone, right)
            if r.random() < 0.12:
                self._line(left, y + style.descent + r.randint(0, 3), right, None, tone, 1)
        return y

    def table(self, left, right, y):
        r, style, tone = self.rng, self.font(), self.ink_tone()
        rows, cols = r.randint(2, 12), r.randint(2, 6)
        pitch = (style.ascent + style.descent) * (r.uniform(1.06, 1.3) if r.random() < 0.5 else r.uniform(1.2, 2.2))
        xs = sorted([left] + [left + (right - left) * r.uniform(0.12, 0.95) for _ in range(cols - 1)]) + [right]
        top, ruled, thick = y + 4, r.random() < 0.65, r.choice((1, 1, 1, 2, 3))
        self._table_shades(left, right, top, pitch, rows, tone)
        inverse = r.random() < 0.2
        if inverse:
            self._fill(left, top, right, top + pitch, tone)
        if ruled:
            for q in range(rows + 1):
                self._line(left, top + q * pitch, right, None, tone, thick)
            for x in xs if r.random() < 0.65 else []:
                self._line(x, top, None, top + rows * pitch, tone, thick)
        for q in range(rows):
            base = top + q * pitch + (pitch + style.ascent - style.descent) / 2
            for x, after in zip(xs, xs[1:]):
                self._cell(x, after, base, style, self.paper if inverse and q == 0 else tone, q == 0)
        return top + rows * pitch

    def _table_shades(self, left, right, top, pitch, rows, tone):
        r = self.rng
        if r.random() < 0.3:
            for q in range(0, rows, 2):
                self._fill(left, top + q * pitch, right, top + (q + 1) * pitch, max(0, self.paper - r.uniform(8, 40)))

    def _cell(self, x, after, base, style, tone, head):
        r, words = self.rng, self.s.wording
        if after - x < style.size * 1.5 or r.random() < 0.1:
            return
        text = r.choice((words.amount, words.amount, words.date, words.small_number, words.identifier, lambda: words.sentence(2)))()
        if head:
            text = words.labelled().split(":")[0]
        text = "".join(c for c in text if c in style.covered or c == " ")
        length = sum(style.glyph(c)[3] if c != " " else style.space for c in text)
        if length > after - x - 4:
            text = text.split(" ")[0]
            length = sum(style.glyph(c)[3] for c in text)
        if length < after - x - 3:
            self.words(x + 3 if r.random() < 0.55 else after - length - 3, base, text, style, tone, after)

    def heading(self, left, right, y):
        style = self.font(self.rng.uniform(1.3, 3))
        y += (style.ascent + style.descent) * 1.2
        self.words(left, y, self.s.wording.sentence(self.rng.randint(1, 4)), style, self.ink_tone(), right)
        return y + style.descent

    def zone(self, left, right, y):
        """A machine readable zone: two or three lines of one length in OCR-B (ICAO 9303), wide as the space, or
        as a card that fills the product's view, of which the crop shows some part."""
        r = self.rng
        length, rows = r.choice(((30, 3), (30, 3), (36, 2), (44, 2)))
        face = r.choice(self.s.zone_faces)
        across = self.s.style(face, 20).glyph("<")[3] / 20
        space = right - left
        alone = space > 0.7 * self.side  # beside nothing that it could run over
        wide = self.side * r.uniform(1.0, WIDEST_ZONE) if alone and r.random() < 0.7 else space * r.uniform(0.55, 1.15)
        left -= r.uniform(0, max(0.0, wide - space))
        style = self.s.style(face, wide / (length * across))
        tone, tracking = self.ink_tone(), style.size * r.uniform(0, 0.12)
        pitch = (style.ascent + style.descent) * r.uniform(1.15, 2.2)
        for _ in range(rows):
            y += pitch
            self._word(left, y, self.s.wording.mrz_of(length), style, tone, tracking)
        return y + style.descent

    def rule(self, left, right, y):
        r = self.rng
        self._line(left, y + 6, right, None, self.ink_tone(), r.randint(1, 4))
        return y + 12

    def _line(self, x, y, x1, y1, tone, thick):
        """A rule; dotted now and then."""
        x, y = int(x), int(y)
        if x1 is not None:
            part = self.image[max(0, y):max(0, y + thick), max(0, x):max(0, int(x1))]
        else:
            part = self.image[max(0, y):max(0, int(y1)), max(0, x):max(0, x + thick)]
        if self.rng.random() < 0.12:
            part = part[:, ::3] if x1 is not None else part[::3]
        part[...] = tone

    def _fill(self, x0, y0, x1, y1, tone):
        self.image[max(0, int(y0)):max(0, int(y1)), max(0, int(x0)):max(0, int(x1))] = tone

    # -- capture ------------------------------------------------------------------
    def finish(self):
        r, side, image = self.rng, self.side, self.image
        angle = r.gauss(0, 1.3) if r.random() < 0.45 else 0.0
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1.0)
        mask = self.mask(turn)
        if angle:
            image = cv2.warpAffine(image, turn, (side, side), borderValue=self.paper if r.random() < 0.6 else r.uniform(0, 80))
        if r.random() < 0.6:
            image = cv2.GaussianBlur(image, (0, 0), r.uniform(0.3, 1.0 if self.base < 14 else 1.5))
        if r.random() < 0.35:
            image = image * np.linspace(r.uniform(0.65, 1.05), r.uniform(0.65, 1.05), side, dtype=np.float32)[None]
        if r.random() < 0.6:
            start = r.randrange(self.s.noise_bank.size - side * side)
            image = image + self.s.noise_bank[start:start + side * side].reshape(side, side) * r.uniform(1, 14)
        if r.random() < 0.04:
            image = 255 - image
        if r.random() < 0.1:
            image = np.where(image > image.mean() * r.uniform(0.65, 0.95), np.float32(255), np.float32(0))
            self.s.clutter.specks(image, 0.0)
        image = np.clip(image, 0, 255).astype(np.uint8)
        if r.random() < 0.35:
            image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, r.randint(20, 80)])[1], cv2.IMREAD_GRAYSCALE)
        self._edges(image, mask)
        return image, mask

    def mask(self, turn):
        mask = np.zeros((self.side, self.side), np.uint8)
        for x0, y0, x1, y1 in self.boxes:
            tall = y1 - y0
            down, across = min(SHRINK_PX, tall * SHRINK_SHARE), min(1.0, tall * 0.08)
            corners = np.float32([[x0 + across, y0 + down], [x1 - across, y0 + down], [x1 - across, y1 - down], [x0 + across, y1 - down]]) - 0.5
            corners = corners @ turn[:, :2].T + turn[:, 2]
            cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 1, lineType=cv2.LINE_8, shift=4)
        return mask

    def _edges(self, image, mask):
        """Dark borders of a scan, and the black that pads a page to the input's size."""
        r, k = self.rng, self.rng.randint(2, 30)
        if r.random() < 0.08:
            image[:, :k] = r.randint(0, 60)
            mask[:, :k] = 0
        if r.random() < 0.12:
            cut = r.randint(self.side // 3, self.side - 1)
            part = (slice(cut, None), slice(None)) if r.random() < 0.5 else (slice(None), slice(cut, None))
            image[part], mask[part] = 0, 0
