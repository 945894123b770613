"""Draws a sheet of training lines and one of page crops with their masks, to look at.

    python preview.py folder [seed]
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from degrade import HEIGHT
from lines import LineSource
from pages import PageSource

ROWS, WIDTH, CROPS = 40, 1000, 6


def lines_sheet(seed):
    source = LineSource(seed)
    began = time.process_time()
    lines = source.lines(1500)
    print(f"{1500 / (time.process_time() - began):.0f} lines per core and second")
    sheet = np.full((ROWS * HEIGHT, WIDTH), 128, np.uint8)
    for row in range(ROWS):
        image = lines[row * (len(lines) // ROWS)][0][: HEIGHT - 1, :WIDTH]
        sheet[row * HEIGHT:row * HEIGHT + image.shape[0], : image.shape[1]] = image
    return sheet


def pages_sheet(seed):
    source = PageSource(seed)
    began = time.process_time()
    crops = [source.crop() for _ in range(CROPS)]
    print(f"{CROPS / (time.process_time() - began):.1f} page crops per core and second")
    shown = []
    for image, mask in crops:
        colour = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        colour[mask > 0] = (colour[mask > 0] * 0.6 + np.array([0, 0, 255]) * 0.4).astype(np.uint8)
        shown.append(colour)
    return np.vstack([np.hstack(shown[:3]), np.hstack(shown[3:])])


def main():
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
    cv2.imwrite(str(folder / "lines.png"), lines_sheet(seed))
    cv2.imwrite(str(folder / "pages.png"), pages_sheet(seed))


if __name__ == "__main__":
    main()
