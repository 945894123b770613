"""Lines of real receipts, cut by their ground-truth boxes; measured on, never trained on.

A folder of NAME.jpg and NAME.csv: x1,y1,…,x4,y4,text a line, text in capitals.
"""

import os
from pathlib import Path

import cv2

from alphabet import ALPHABET
from degrade import HEIGHT

FOLDER = Path(os.environ.get("REAL_PAGES", Path(__file__).resolve().parents[3] / "shared/real-pages")) / "sroie"


def lines():
    """[(image, text)], or nothing where the pages are not at hand."""
    out = []
    for path in sorted(FOLDER.glob("*.csv")):
        page = cv2.imread(str(path.with_suffix(".jpg")), cv2.IMREAD_GRAYSCALE)
        for row in path.read_text(encoding="utf-8", errors="replace").splitlines():
            parts = row.split(",", 8)
            if page is None or len(parts) < 9 or not parts[8].strip():
                continue
            x, y = [int(v) for v in parts[0:8:2]], [int(v) for v in parts[1:8:2]]
            piece = page[max(0, min(y)):max(y), max(0, min(x)):max(x)]
            text = "".join(c for c in parts[8].strip() if c in ALPHABET)
            if piece.shape[0] < 6 or piece.shape[1] < 3 or not text:
                continue
            width = min(2400, max(10, int(HEIGHT * piece.shape[1] / piece.shape[0])))
            out.append((cv2.resize(piece, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), text))
    return out
