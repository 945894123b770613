"""Words found on held-out page crops, counted with the product's threshold."""

import cv2
import numpy as np
import torch

from pages import PageSource

SEED = 20260102
THRESHOLD, MINIMUM_AREA = 0.2, 30  # ocrs: 0.2; its 100 px² are after growing each box by 3 px
OVERLAP = 0.5


def test_pages(n=120):
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
def score_pages(model, pages):
    """Recall and precision of word boxes, and false words a crop that touch no text."""
    wanted = found = hits = stray = 0
    for image, mask in pages:
        x = torch.from_numpy(image.astype(np.float32) / 255 - 0.5)[None, None]
        p = torch.sigmoid(torch.nn.functional.interpolate(model(x).float(), scale_factor=2.0, mode="bilinear", align_corners=False))
        truth, got = boxes(mask), boxes(p[0, 0].numpy() > THRESHOLD)
        wanted, found = wanted + len(truth), found + len(got)
        hits += sum(any(overlap(t, g) >= OVERLAP for g in got) for t in truth)
        stray += sum(mask[g[1]:g[3], g[0]:g[2]].max() == 0 for g in got)
    return {"pages": len(pages), "recall": round(hits / wanted, 4), "precision": round(hits / max(1, found), 4), "stray_a_crop": round(stray / len(pages), 3)}
