"""Words found on held-out page crops, counted with the product's threshold."""

import cv2
import numpy as np
import torch

import receipts
from pages import PageSource

SEED = 20260102
THRESHOLD, MINIMUM_AREA = 0.2, 30  # ocrs: 0.2; its 100 px² are after growing each box by 3 px
OVERLAP = 0.5
COVERED, MERGED = 0.75, 1.7  # of a line's width; of its height


def test_pages(n=60):
    """[(image, mask)] in held-out faces, fixed by seed."""
    source = PageSource(SEED, held=True)
    return [source.crop() for _ in range(n)]


def boxes(mask):
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:count] if area >= MINIMUM_AREA]


def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    area = lambda r: (r[2] - r[0]) * (r[3] - r[1])
    return w * h / (area(a) + area(b) - w * h)


@torch.no_grad()
def text_mask(model, image):
    """Where the network sees text, at the product's threshold."""
    x = torch.from_numpy(image.astype(np.float32) / 255 - 0.5)[None, None]
    p = torch.sigmoid(torch.nn.functional.interpolate(model(x).float(), scale_factor=2.0, mode="bilinear", align_corners=False))
    return p[0, 0].numpy() > THRESHOLD


def score_pages(model, pages):
    """Recall and precision of word boxes, and false words a crop that touch no text."""
    wanted = found = hits = stray = 0
    for image, mask in pages:
        truth, got = boxes(mask), boxes(text_mask(model, image))
        wanted, found = wanted + len(truth), found + len(got)
        hits += sum(any(overlap(t, g) >= OVERLAP for g in got) for t in truth)
        stray += sum(mask[g[1]:g[3], g[0]:g[2]].max() == 0 for g in got)
    return {"pages": len(pages), "recall": round(hits / wanted, 4), "precision": round(hits / max(1, found), 4), "stray_a_crop": round(stray / len(pages), 3)}


def fitted(page, height=1280, width=928):
    """The page scaled to fit the network's input, padded with black as the product does."""
    scale = min(height / page.shape[0], width / page.shape[1])
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height, :width]
    out = np.zeros((height, width), np.uint8)
    out[:small.shape[0], :small.shape[1]] = small
    return out, scale


def score_receipts(model):
    """Real lines by their boxes: share covered, share merged with another, false words a page."""
    wanted = found = merged = stray = pages = 0
    for page, lines in receipts.pages():
        image, scale = fitted(page)
        truth = [tuple(int(v * scale) for v in line[:4]) for line in lines]
        seen, pages = text_mask(model, image), pages + 1
        got, any_line = boxes(seen), np.zeros(image.shape, bool)
        for x0, y0, x1, y1 in truth:
            any_line[y0:y1, x0:x1] = True
            wanted += 1
            found += seen[y0:y1, x0:x1].any(0).mean() >= COVERED if x1 > x0 and y1 > y0 else 0
            merged += any(g[3] - g[1] > MERGED * (y1 - y0) and overlap_x(g, (x0, y0, x1, y1)) for g in got)
        stray += sum(not any_line[g[1]:g[3], g[0]:g[2]].any() for g in got)
    return {"pages": pages, "lines_found": round(found / wanted, 4), "merged": round(merged / wanted, 4), "stray_a_page": round(stray / pages, 2)} if pages else {}


def overlap_x(a, b):
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) - max(a[1], b[1]) > 0.5 * (b[3] - b[1])
