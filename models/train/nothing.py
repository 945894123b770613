"""Strips that the detector takes for lines and that hold no text: the recogniser is to say nothing.

Rules made of repeated signs, edges of paper, bar codes, specks, stamps, photographs, guilloche, folds
and blank paper, cut to a line's 40 rows like any line.
"""

import cv2
import numpy as np

from clutter import Clutter
from degrade import HEIGHT

SIGNS = "-=_*"  # no dots or tildes: blurred, they look like the fillers of a machine readable zone
FEWEST_SIGNS = 9  # fewer may be meant as text
SIDE = 260  # of the paper on which clutter is drawn
MOST_COLUMNS = 900


class Nothing:
    """Draws from the same stream of choices as the lines do."""

    def __init__(self, rng, typesetter, degrader):
        self.rng, self.typesetter, self.degrader = rng, typesetter, degrader
        self.clutter = Clutter(rng, np.random.default_rng(rng.randrange(1 << 30)))

    def image(self):
        """-> uint8 image of 40 rows"""
        image = None
        while image is None:
            k = self.rng.random()
            image = self._rule() if k < 0.35 else self._edge() if k < 0.5 else self._clutter()
        return image

    def _rule(self):
        r = self.rng
        sign = r.choice(SIGNS) if r.random() < 0.85 else "".join(r.sample(SIGNS, 2))
        text = (" " if r.random() < 0.15 else "").join(sign for _ in range(r.randint(FEWEST_SIGNS, 60)))
        ink = self.typesetter.set(text, r.choice(self.typesetter.active))
        if len(ink.text) < FEWEST_SIGNS or not ink.words or set(ink.text) - set(SIGNS + " "):
            return None
        image = self.degrader.line(ink)
        return None if image is None or image.shape[1] > MOST_COLUMNS else image

    def _edge(self):
        """The edge of a sheet, torn or cut, on whatever it lies on, along the strip or across it."""
        r = self.rng
        tall = r.randint(12, 60)
        wide = min(int(tall * r.uniform(0.5, 14)), 2 * SIDE)
        paper, table = r.uniform(120, 255), r.uniform(0, 170)
        y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
        far = (y - tall * r.uniform(0.1, 0.9)) * r.choice((-1, 1)) + (x - wide / 2) * r.uniform(-0.06, 0.06)
        if r.random() < 0.3:
            far = (x - wide * r.uniform(0.1, 0.9)) * r.choice((-1, 1)) + (y - tall / 2) * r.uniform(-0.2, 0.2)
        torn = np.repeat(self.degrader.noise(1, wide // 3 + 1), 3, axis=1)[:, :wide] * r.choice((0, 0, r.uniform(0.2, 1.5)))
        sheet = np.where(far + torn > 0, np.float32(paper), np.float32(table))
        if r.random() < 0.5:  # the sheet's shadow
            sheet -= r.uniform(10, 70) * np.exp(-np.abs(far) / r.uniform(1, 6))
        if r.random() < 0.7:
            sheet = cv2.GaussianBlur(sheet, (0, 0), r.uniform(0.4, 2))
        return self._strip(sheet + self.degrader.noise(tall, wide) * r.uniform(0, 12))

    def _clutter(self):
        r = self.rng
        paper = r.uniform(120, 255)
        sheet = np.full((SIDE, 2 * SIDE), paper, np.float32)
        for _ in range(r.choice((1, 1, 2, 3))):
            self.clutter.draw(sheet, paper)
        for _ in range(r.choice((0, 0, 1, 1))):
            self.clutter.over(sheet, paper)
        if r.random() < 0.3:
            sheet += r.uniform(8, 42) * cv2.resize(r.choice(self.degrader.backgrounds)[:, :SIDE], (2 * SIDE, SIDE))
        if r.random() < 0.5:
            sheet = cv2.GaussianBlur(sheet, (0, 0), r.uniform(0.3, 1.6))
        if r.random() < 0.5:
            sheet += self.degrader.noise(*sheet.shape) * r.uniform(1, 14)
        tall = r.randint(12, 90)
        wide = min(int(tall * r.uniform(0.5, 9)), 2 * SIDE - 1)
        y, x = r.randrange(SIDE - tall), r.randrange(2 * SIDE - wide)
        return self._strip(sheet[y:y + tall, x:x + wide])

    def _strip(self, piece):
        tall, wide = piece.shape
        width = min(MOST_COLUMNS, max(10, int(HEIGHT * wide / tall)))
        image = np.clip(cv2.resize(piece, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), 0, 255).astype(np.uint8)
        return 255 - image if self.rng.random() < 0.05 else image
