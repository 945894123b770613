"""Measures detectors on held-out page crops and on real receipts.

    python evaluate_det.py path/to/text-detection.rten … | checkpoint | checkpoints/det.pt
"""

import json
import sys

import torch

import checkpoint
import rtenfile
import warmstart
from detection_score import score_pages, score_receipts, test_pages
from fonts import WORK
from nets import Detector
from pages import PageSource
from train_det import batch


def network(which):
    if which == "checkpoint":
        model = Detector()
        model.load_state_dict(checkpoint.load(WORK / "det.pt")["average"])
    elif which.endswith(".pt"):
        model = warmstart.begin(Detector(), which, None)
    else:
        skip = any(warmstart.module_name(n) == "l0.0" for n, _ in rtenfile.layers(which))
        model = Detector(head="skip" if skip else "shuffle")
        warmstart.load(model, which, batch(PageSource(0))[0])
    return model.eval()


def main():
    torch.set_num_threads(1)
    pages = test_pages()
    for which in sys.argv[1:]:
        model = network(which)
        result = {"model": which, "held-out page crops": score_pages(model, pages), "receipts": score_receipts(model)}
        print(json.dumps(result, indent=1), flush=True)


if __name__ == "__main__":
    main()
