"""Things on a page that are not text: what the detector must learn to pass over."""

import cv2
import numpy as np


class Clutter:
    """Draws one random thing at a time into a float image."""

    def __init__(self, rng, numbers):
        self.rng, self.numbers = rng, numbers

    def draw(self, image, paper):
        """Something that text may be printed over."""
        r = self.rng
        r.choice((self.shade, self.barcode, self.qr, self.photograph, self.photograph, self.logo, self.stamp, self.holes, self.boxes, self.flourish, self.guilloche))(image, paper)

    def over(self, image, paper):
        """Something that lies over the text without hiding it."""
        self.rng.choice((self.specks, self.specks, self.holes, self.stamp, self.scribble, self.stripes, self.fold))(image, paper)

    def _place(self, image, low=20, high=220):
        r = self.rng
        h, w = image.shape
        return r.randrange(-20, w - 10), r.randrange(-20, h - 10), r.randint(low, high), r.randint(low, max(low, int(high * 0.7)))

    def _paste(self, image, piece, x, y):
        h, w = piece.shape
        y0, y1, x0, x1 = max(0, y), min(image.shape[0], y + h), max(0, x), min(image.shape[1], x + w)
        if y1 > y0 and x1 > x0:
            image[y0:y1, x0:x1] = piece[y0 - y:y1 - y, x0 - x:x1 - x]

    def _tone(self, paper):
        r = self.rng
        return r.uniform(0, 110) if r.random() < 0.6 else max(0.0, paper - r.uniform(30, 120))

    def shade(self, image, paper):
        x, y, w, h = self._place(image)
        cv2.rectangle(image, (x, y), (x + w, y + h), max(0.0, paper - self.rng.uniform(8, 70)), -1)

    def barcode(self, image, paper):
        x, y, w, h = self._place(image, 30)
        at = x
        while at < x + w:
            thick = self.rng.randint(1, 4)
            cv2.rectangle(image, (at, y), (at + thick - 1, y + h), 10.0, -1)
            at += thick + self.rng.randint(1, 4)

    def qr(self, image, paper):
        x, y, _, _ = self._place(image)
        cells = (self.numbers.random((25, 25)) > 0.5).astype(np.float32) * paper
        scale = self.rng.randint(2, 5)
        self._paste(image, cv2.resize(cells, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST), x, y)

    def photograph(self, image, paper):
        """Soft blobs in a frame: a face on a card, a picture in a letterhead."""
        x, y, w, h = self._place(image, 40)
        cells = self.rng.randint(3, 14)
        piece = cv2.resize(self.numbers.random((cells, cells)).astype(np.float32) * 255, (w, h), interpolation=cv2.INTER_CUBIC)
        if self.rng.random() < 0.6:
            cv2.ellipse(piece, (w // 2, int(h * 0.45)), (max(2, w // 4), max(2, h // 3)), 0, 0, 360, self.rng.uniform(90, 210), -1)
            piece = cv2.GaussianBlur(piece, (0, 0), self.rng.uniform(1, 4))
        if self.rng.random() < 0.5:
            piece += self.numbers.standard_normal(piece.shape).astype(np.float32) * self.rng.uniform(3, 25)
        self._paste(image, np.clip(piece, 0, 255), x, y)

    def logo(self, image, paper):
        r = self.rng
        x, y, w, h = self._place(image, 15, 120)
        for _ in range(r.randint(1, 4)):
            corners = self.numbers.integers(0, max(w, 20), (r.randint(3, 6), 2)) + np.array([x, y])
            if r.random() < 0.5:
                cv2.fillPoly(image, [corners.astype(np.int32)], self._tone(paper))
            else:
                cv2.circle(image, (x + w // 2, y + h // 2), r.randint(4, max(5, w // 2)), self._tone(paper), r.choice((-1, 1, 2, 5)))

    def stamp(self, image, paper):
        r = self.rng
        x, y, w, _ = self._place(image, 40, 160)
        tone, thick = self._tone(paper), r.randint(1, 4)
        layer = image.copy()
        for shrink in (0, r.randint(3, 12)):
            axes = (max(3, w // 2 - shrink), max(3, int(w * r.uniform(0.3, 0.5)) - shrink))
            if r.random() < 0.7:
                cv2.ellipse(layer, (x + w // 2, y + w // 2), axes, r.uniform(-20, 20), 0, 360, tone, thick)
            else:
                cv2.rectangle(layer, (x + shrink, y + shrink), (x + w - shrink, y + axes[1] + w // 3), tone, thick)
        image += (layer - image) * r.uniform(0.4, 1)

    def holes(self, image, paper):
        r = self.rng
        x = r.choice((r.randint(5, 40), r.randint(5, image.shape[1] - 5)))
        radius, tone = r.randint(4, 14), r.uniform(0, 120)
        for y in (r.randint(0, 200), r.randint(230, image.shape[0])):
            cv2.circle(image, (x, y), radius, tone, -1)

    def boxes(self, image, paper):
        """Empty form boxes and check boxes."""
        r = self.rng
        x, y, w, h = self._place(image, 8, 90)
        for k in range(r.randint(1, 8)):
            cv2.rectangle(image, (x + k * (w + 3), y), (x + k * (w + 3) + w, y + min(h, 30)), self._tone(paper), r.choice((1, 1, 2)))

    def flourish(self, image, paper):
        """A signature."""
        x, y, w, h = self._place(image, 40, 180)
        n = self.rng.randint(6, 16)
        points = np.stack([x + np.linspace(0, w, n) + self.numbers.normal(0, w / 8, n), y + h / 2 + self.numbers.normal(0, h / 3, n)], 1)
        t = np.linspace(0, n - 1, n * 8)
        smooth = np.stack([np.interp(t, np.arange(n), points[:, k]) for k in (0, 1)], 1)
        smooth = cv2.GaussianBlur(smooth.astype(np.float32), (1, 9), 3)
        cv2.polylines(image, [np.round(smooth).astype(np.int32)], False, self._tone(paper), self.rng.randint(1, 3), cv2.LINE_AA)

    scribble = flourish

    def guilloche(self, image, paper):
        """Fine woven lines, as printed on cards and certificates."""
        r = self.rng
        h, w = image.shape
        xs = np.arange(0, w, 4)
        tone, swing, length = max(0.0, paper - r.uniform(15, 90)), r.uniform(4, 40), r.uniform(30, 200)
        for k in range(r.randint(6, 40)):
            ys = h * r.random() + swing * np.sin(xs / length * 6.28 + k * r.uniform(0.1, 0.6))
            cv2.polylines(image, [np.stack([xs, ys], 1).astype(np.int32)], False, tone, 1, cv2.LINE_AA)

    def specks(self, image, paper):
        r = self.rng
        h, w = image.shape
        for _ in range(r.choice((5, 20, 60, 150))):
            cv2.circle(image, (r.randrange(w), r.randrange(h)), r.choice((0, 0, 1, 1, 2, 3)), r.uniform(0, 120), -1)

    def stripes(self, image, paper):
        """Streaks that a dirty scanner leaves along the page."""
        r = self.rng
        for _ in range(r.randint(1, 4)):
            x = r.randrange(image.shape[1])
            image[:, x:x + r.choice((1, 1, 2))] = r.uniform(0, 200)

    def fold(self, image, paper):
        """The shadow of a crease."""
        r = self.rng
        h = image.shape[0]
        at, soft = r.randrange(h), r.uniform(2, 14)
        image *= 1 - r.uniform(0.1, 0.4) * np.exp(-((np.arange(h, dtype=np.float32) - at) / soft) ** 2)[:, None]
