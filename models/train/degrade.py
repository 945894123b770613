"""From clean ink to what the product feeds the recogniser.

Each call draws one paper, one way of printing and one way of capturing it, then
cuts the line as the product does: a polygon through the word boxes, black
outside, bilinear resize to 40 rows without antialiasing.
"""

import math
import random

import cv2
import numpy as np

cv2.setNumThreads(1)
HEIGHT = 40
MEDIA = [("digital", 27), ("scan", 36), ("photo", 15), ("fax", 7), ("thermal", 4), ("dots", 2), ("card", 9)]


class Degrader:
    """Holds the banks of noise and backgrounds, and the stream of choices."""

    def __init__(self, rng: random.Random, severity=1.0):
        self.rng, self.severity = rng, severity
        numbers = np.random.default_rng(rng.randrange(1 << 30))
        self.noise_bank = numbers.standard_normal(1 << 21).astype(np.float32)
        self.backgrounds = [background(k, numbers) for k in range(48)]

    def noise(self, h, w):
        start = self.rng.randrange(self.noise_bank.size - h * w - 1)
        return self.noise_bank[start:start + h * w].reshape(h, w)

    def line(self, ink, medium=None, neighbours=()):
        """-> uint8 image of 40 rows, or None when the cut left nothing."""
        r = self.rng
        medium = medium or r.choices([m for m, _ in MEDIA], [w for _, w in MEDIA])[0]
        mask = ink.mask.astype(np.float32)
        words = ink.words
        if neighbours and r.random() < 0.4:
            self._add_neighbour(mask, ink, r.choice(neighbours))
        if r.random() < 0.17:
            self._add_rules(mask, ink)
        if r.random() < 0.18:  # condensed and expanded setting
            factor = r.uniform(0.72, 1.2)
            mask = cv2.resize(mask, None, fx=factor, fy=1, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
            words = [(a * factor, b * factor, t) for a, b, t in words]
        mask = self._stroke(mask, ink.size)
        if r.random() < {"photo": 0.75, "card": 0.4, "digital": 0.05}.get(medium, 0.3):
            mask = self._warp(mask, medium)
        image = getattr(self, "_" + medium)(mask, ink.size)
        if r.random() < 0.05:
            image = 255 - image
        return self._cut(image, ink, words)

    def clean_scan(self, ink):
        """A good scanner on a good print: dark on light, a little blur and noise."""
        r = self.rng
        paper, dark = r.uniform(232, 255), r.uniform(0, 60)
        mask = cv2.GaussianBlur(ink.mask.astype(np.float32), (0, 0), r.uniform(0.3, 0.6))
        return self._cut(self._finish(self._print(mask, paper, dark), paper - dark, 6, 0.3), ink, ink.words)

    # -- ink ------------------------------------------------------------------
    def _add_neighbour(self, mask, ink, other):
        r = self.rng
        pitch = int(ink.size * r.uniform(0.98, 1.5)) * r.choice((-1, 1))
        top = ink.baseline + pitch - other.baseline
        x = r.randrange(max(1, mask.shape[1] // 2)) - other.size
        y0, y1 = max(0, top), min(mask.shape[0], top + other.mask.shape[0])
        x0, x1 = max(0, x), min(mask.shape[1], x + other.mask.shape[1])
        if y1 > y0 and x1 > x0:
            part = mask[y0:y1, x0:x1]
            np.maximum(part, other.mask[y0 - top:y1 - top, x0 - x:x1 - x], out=part)

    def _add_rules(self, mask, ink):
        r, size = self.rng, ink.size
        thick, strength = max(1, int(size * r.uniform(0.02, 0.1))), r.uniform(110, 255)
        kind = r.random()
        if kind < 0.5:  # underline, or the rule of a table row
            y = ink.baseline + int(size * r.uniform(0.03, 0.4))
            mask[y:y + thick] = np.maximum(mask[y:y + thick], strength)
        if 0.35 < kind < 0.75:
            y = max(0, ink.baseline - ink.ascent - int(size * r.uniform(0.02, 0.4)))
            mask[y:y + thick] = np.maximum(mask[y:y + thick], strength)
        if kind > 0.65:
            for x in (ink.words[0][0] - size * r.uniform(0.1, 0.6), ink.words[-1][1] + size * r.uniform(0.1, 0.5)):
                if r.random() < 0.6:
                    x = int(max(0, x))
                    mask[:, x:x + thick] = np.maximum(mask[:, x:x + thick], strength)

    def _stroke(self, mask, size):
        r, k = self.rng, self.rng.random()
        if size >= 20 and k < 0.14:
            kernel = np.ones((2, 2), np.uint8)
            return cv2.dilate(mask, kernel) if r.random() < 0.6 else cv2.erode(mask, kernel)
        if k < 0.3:  # heavier or lighter by the shoulder of the antialiasing
            return 255 * (mask / 255) ** r.uniform(0.55, 1.7)
        return mask

    def _warp(self, mask, medium):
        r = self.rng
        h, w = mask.shape
        angle = r.gauss(0, 1.1 if medium == "photo" else 0.6) * math.pi / 180 * min(1, 14 * h / w)
        slant = r.gauss(0, 0.07)
        if medium == "photo" and r.random() < 0.5:
            d = h * 0.08
            corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
            moved = corners + np.float32([[r.uniform(-d, d), r.uniform(-d, d)] for _ in range(4)])
            return cv2.warpPerspective(mask, cv2.getPerspectiveTransform(corners, moved), (w, h), flags=cv2.INTER_LINEAR)
        t = math.tan(angle)
        matrix = np.float32([[1, slant, -slant * h / 2], [t, 1, -t * w / 2]])
        return cv2.warpAffine(mask, matrix, (w, h), flags=cv2.INTER_LINEAR)

    # -- paper and capture ------------------------------------------------------
    def _tones(self, low_contrast=0.18):
        r = self.rng
        paper = r.uniform(205, 255) if r.random() < 0.8 else r.uniform(120, 220)
        ink = r.uniform(0, 90) if r.random() > low_contrast else paper - r.uniform(50, 110)
        return paper, max(0.0, ink)

    def _print(self, mask, paper, ink):
        return paper + (ink - paper) / 255 * mask

    def _digital(self, mask, size):
        paper, ink = self._tones(0.08)
        if self.rng.random() < 0.15:
            paper, ink = ink * 0.6, self.rng.uniform(190, 255)  # inverse heading
        return self._print(mask, paper, ink)

    def _blur(self, mask, low, high, size):
        return cv2.GaussianBlur(mask, (0, 0), self.rng.uniform(low, high) * max(0.75, size / 26))

    def _finish(self, image, contrast, noise, jpeg):
        r = self.rng
        if noise:
            image = image + self.noise(*image.shape) * (r.uniform(0.5, noise) * min(1.0, contrast / 130) * self.severity)
        image = np.clip(image, 0, 255)
        if r.random() < jpeg:
            coded = cv2.imencode(".jpg", image.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, r.randint(18, 80)])[1]
            image = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
        return image

    def _background(self, h, w):
        r = self.rng
        bank = r.choice(self.backgrounds)
        w0 = min(w, bank.shape[1])
        y, x = r.randrange(bank.shape[0] - min(h, bank.shape[0]) + 1), r.randrange(bank.shape[1] - w0 + 1)
        piece = bank[y:y + h, x:x + w0]
        return piece if piece.shape == (h, w) else cv2.resize(piece, (w, h))

    def _light(self, image):
        r = self.rng
        across = np.linspace(r.uniform(0.6, 1.08), r.uniform(0.6, 1.08), image.shape[1], dtype=np.float32)
        down = np.linspace(r.uniform(0.9, 1.05), r.uniform(0.9, 1.05), image.shape[0], dtype=np.float32)
        return image * across[None] * down[:, None]

    def _scan(self, mask, size):
        r = self.rng
        paper, ink = self._tones()
        if r.random() < 0.8:
            mask = self._blur(mask, 0.3, 0.3 + 0.6 * self.severity, size)
        image = self._print(mask, paper, ink)
        if r.random() < 0.15:
            image = image + self._background(*image.shape) * r.uniform(3, 18)
        if r.random() < 0.1:  # show-through and dirt
            image = np.where(self.noise(*image.shape) > r.uniform(2.2, 3.2), ink, image)
        return self._finish(image, paper - ink, 14, 0.5)

    def _photo(self, mask, size):
        r = self.rng
        paper, ink = self._tones(0.25)
        kind = r.random()
        if kind < 0.7:
            mask = self._blur(mask, 0.4, 0.4 + 0.95 * self.severity, size)
        else:
            n = 3 if size < 20 else r.choice((3, 5))
            kernel = np.zeros((n, n), np.float32)
            if r.random() < 0.6:
                kernel[n // 2] = 1 / n
            else:
                kernel[:, n // 2] = 1 / n
            mask = cv2.filter2D(mask, -1, kernel)
        image = self._light(self._print(mask, paper, ink))
        if r.random() < 0.25:
            image = image + self._background(*image.shape) * r.uniform(4, 20)
        return self._finish(image, paper - ink, 18, 0.75)

    def _fax(self, mask, size):
        r = self.rng
        h, w = mask.shape
        # rows of a fax may be half as fine as its columns; text stays about 9 px tall at least
        fine = r.uniform(max(0.45, 12 / size), 1.0) if size > 12 else 1.0
        coarse = fine * (r.uniform(0.55, 1) if r.random() < 0.3 and size * fine > 22 else 1)
        small = cv2.resize(mask, (max(4, int(w * fine)), max(4, int(h * coarse))), interpolation=cv2.INTER_AREA)
        threshold = r.uniform(70, 175) + self.noise(*small.shape) * r.uniform(0, 28) * self.severity
        small = np.where(small > threshold, np.float32(0), np.float32(255))
        if r.random() < 0.25:
            small[self.noise(*small.shape) > r.uniform(2.3, 3.2)] = 0
        return cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR if r.random() < 0.6 else cv2.INTER_NEAREST)

    def _thermal(self, mask, size):
        r = self.rng
        paper, ink = r.uniform(200, 250), r.uniform(20, 150)
        h, w = mask.shape
        fade = cv2.resize(self.noise(max(2, h // 10), max(2, w // 30)), (w, h)) * r.uniform(0, 0.3)
        streak = self.noise(h, 1) * r.uniform(0, 0.22) if r.random() < 0.6 else self.noise(1, w) * r.uniform(0, 0.2)
        speckle = self.noise(h, w) * r.uniform(0, 0.3)
        mask = mask * np.clip(0.95 + fade + streak + speckle, 0.15, 1.1)
        return self._finish(self._print(np.clip(self._blur(mask, 0.3, 0.8, size), 0, 255), paper, ink), paper - ink, 10, 0.4)

    def _dots(self, mask, size):
        r = self.rng
        pitch = max(2.0, size / r.uniform(11, 15))  # nine needles over a line
        h, w = mask.shape
        small = cv2.resize(mask, (max(4, int(w / pitch)), max(4, int(h / pitch))), interpolation=cv2.INTER_AREA)
        k = max(3, int(round(pitch)))
        on = np.where(small > r.uniform(75, 125), np.float32(1), np.float32(0))
        axis = np.arange(k) - (k - 1) / 2
        dot = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * (k * r.uniform(0.3, 0.55)) ** 2)).astype(np.float32)
        mask = np.clip(cv2.resize(np.kron(on, dot), (w, h), interpolation=cv2.INTER_AREA) * 255 * r.uniform(1, 1.3), 0, 255)
        paper, ink = self._tones(0.3)
        return self._finish(self._print(self._blur(mask, 0.2, 0.7, size), paper, ink), paper - ink, 12, 0.4)

    def _card(self, mask, size):
        r = self.rng
        paper, ink = r.uniform(150, 240), r.uniform(0, 70)
        if r.random() < 0.7:
            mask = self._blur(mask, 0.3, 0.9, size)
        image = self._print(mask, paper, ink) + self._background(*mask.shape) * r.uniform(8, 42) * min(1, (paper - ink) / 150)
        if r.random() < 0.4:
            image = self._light(image)
        return self._finish(image, paper - ink, 12, 0.5)

    # -- the cut ------------------------------------------------------------------
    def _boxes(self, ink, words):
        """Word boxes as a detector would give them: (x0, x1, top, bottom)."""
        r, size = self.rng, ink.size
        loose = r.uniform(-0.03, 0.14) if r.random() < 0.8 else r.uniform(-0.06, 0.4)
        loose_below = loose + r.uniform(-0.05, 0.05) if r.random() < 0.8 else r.uniform(-0.05, 0.35)
        jitter = r.choice((0.0, 0.015, 0.03, 0.05))
        start, end = r.uniform(-0.04, 0.3) * size, r.uniform(-0.04, 0.3) * size
        hug = r.random() < 0.2  # boxes that end at the ink instead of the font's extent
        rows = np.flatnonzero(ink.mask[:, int(ink.words[0][0]):int(ink.words[-1][1]) + 1].max(1) > 90) if hug else ()
        boxes = []
        for i, (a, b, tall) in enumerate(words):
            top = ink.baseline - ink.ascent * (r.uniform(1.1, 1.25) if tall else 1)
            bottom = ink.baseline + ink.descent
            if len(rows):
                top, bottom = min(rows[0], ink.baseline - ink.ascent * 0.7), max(rows[-1] + 1, ink.baseline + 1)
            boxes.append((
                a - (start if i == 0 else 0), b + (end if i == len(words) - 1 else 0),
                top - (loose + r.gauss(0, jitter)) * size, bottom + (loose_below + r.gauss(0, jitter)) * size,
            ))
        return boxes

    def _cut(self, image, ink, words):
        boxes = self._boxes(ink, words)
        h, w = image.shape
        xs = np.float32([x for a, b, _, _ in boxes for x in (a, max(a + 1, b))])
        tops = np.float32([t for _, _, t, _ in boxes for _ in (0, 1)])
        bottoms = np.float32([b for _, _, _, b in boxes for _ in (0, 1)])
        x0, x1 = max(0, int(xs[0])), min(w, int(xs[-1]))
        y0, y1 = max(0, int(tops.min())), min(h, int(math.ceil(bottoms.max())))
        if x1 - x0 < 3 or y1 - y0 < 6:
            return None
        piece = image[y0:y1, x0:x1]
        if self.rng.random() < 0.85 and (np.ptp(tops) > 0.5 or np.ptp(bottoms) > 0.5):
            columns, row = np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32)[:, None]
            inside = (row >= np.interp(columns, xs, tops)[None] - 0.5) & (row <= np.interp(columns, xs, bottoms)[None] + 0.5)
            piece = piece * inside
        stretch = self.rng.uniform(0.94, 1.06) if self.rng.random() < 0.5 else 1
        width = int(min(2400, max(10, HEIGHT * piece.shape[1] / piece.shape[0] * stretch)))
        return np.clip(cv2.resize(piece, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), 0, 255).astype(np.uint8)


def background(kind, numbers, h=170, w=2600):
    """Guilloche lines, cloud, grain, screen or waves; zero mean, about 1 high."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    out = np.zeros((h, w), np.float32)
    kind %= 6
    if kind in (0, 5):
        for _ in range(numbers.integers(2, 7)):
            pitch, swing, length = numbers.uniform(5, 22), numbers.uniform(2, 14), numbers.uniform(30, 260)
            curve = (y + swing * np.sin(x / length * 6.28 + numbers.random() * 7) + x * numbers.uniform(-0.5, 0.5)) % pitch
            out = np.minimum(out, -numbers.uniform(0.3, 1) * (np.abs(curve - pitch / 2) < numbers.uniform(0.5, 1.4)))
    elif kind == 1:
        out = cv2.resize(numbers.standard_normal((h // 8, w // 8)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC) * 0.5
    elif kind == 2:
        out = cv2.GaussianBlur(numbers.standard_normal((h, w)).astype(np.float32), (0, 0), numbers.uniform(0.6, 2.5))
        out /= out.std() * 2
    elif kind == 3:
        pitch, turn = numbers.uniform(3, 9), numbers.uniform(0, 3.14)
        u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        out = -((np.sin(u / pitch * 6.28) * np.sin(v / pitch * 6.28)) > numbers.uniform(0.2, 0.8)).astype(np.float32)
    else:
        for _ in range(6):
            out = out + np.sin(x / numbers.uniform(20, 300) + y / numbers.uniform(8, 60) + numbers.random() * 6) * 0.25
    return out.astype(np.float32)
