"""Endless stream of (image, text) lines, and batches of them for training."""

import random

import numpy as np

from alphabet import ALPHABET, encode
from degrade import HEIGHT, Degrader
from nothing import Nothing
from typeset import Typesetter
from wording import Wording

VARIANTS = 3  # degradations of each set line
NOTHING_SHARE = 0.08  # of training lines show what is no text, and say nothing
RECENT = 24  # lines kept as possible neighbours
STEP = 32  # batches are so many columns wide, or a multiple


class LineSource:
    """Draws lines from one seed; `held` uses held-out faces and words."""

    def __init__(self, seed, held=False, severity=1.0):
        self.rng = random.Random(seed)
        self.wording = Wording(self.rng, held)
        self.typesetter = Typesetter(self.rng, held)
        self.degrader = Degrader(self.rng, severity)
        self.recent = []
        self.nothing = None if held else Nothing(self.rng, self.typesetter, self.degrader)

    def variants(self, text=None, medium=None, count=VARIANTS):
        """One text set once and degraded `count` times: [(image, text)]."""
        ink = self.typesetter.set(text or self.wording.line())
        if not ink.words or any(c not in ALPHABET for c in ink.text):
            return []
        near = [o for o in self.recent if 0.6 < o.size / ink.size < 1.6]
        images = [self.degrader.line(ink, medium, near) for _ in range(count)]
        self.recent = (self.recent + [ink])[-RECENT:]
        legible = [i for i in images if i is not None and i.shape[1] >= 4 * shortest(ink.text)]
        return [(i, ink.text) for i in legible]

    def lines(self, n, longest=1400):
        out = []
        while len(out) < n:
            if self.nothing and self.rng.random() < NOTHING_SHARE:
                out.append((self.nothing.image(), ""))
            out += [v for v in self.variants() if v[0].shape[1] <= longest]
        return out[:n]


def shortest(text):
    """Columns that CTC needs at least: one a character, one more between twins."""
    return len(text) + sum(a == b for a, b in zip(text, text[1:]))


def rounded(width):
    """Few different widths, for which the kernels are compiled once."""
    return -(-width // STEP) * STEP


def collate(lines, extra=0):
    """-> float32 [n, 1, 40, W] in -0.5..0.5 padded right with -0.5, targets, lengths"""
    width = rounded(max(i.shape[1] for i, _ in lines)) + extra
    x = np.zeros((len(lines), 1, HEIGHT, width), np.uint8)
    for k, (image, _) in enumerate(lines):
        x[k, 0, :, :image.shape[1]] = image
    targets = [c for _, text in lines for c in encode(text)]
    return x.astype(np.float32) / 255 - 0.5, targets, [len(t) for _, t in lines]


def batches(source, pool=768, pixels=9000):
    """Batches of lines of like width, about `pixels` columns each, in random order."""
    while True:
        lines = sorted(source.lines(pool), key=lambda v: v[0].shape[1])
        out, k = [], 0
        while k < len(lines):
            n = max(4, min(96, pixels // rounded(lines[min(len(lines) - 1, k + 8)][0].shape[1])))
            out.append(lines[k:k + n])
            k += n
        source.rng.shuffle(out)
        yield from out
