"""Measures a recogniser on the fixed test lines and on real receipts.

    python evaluate.py path/to/text-recognition.rten …   (exported weights)
    python evaluate.py checkpoint                        (the averaged training weights)
    python evaluate.py checkpoints/rec.pt                (those of a committed checkpoint)

Prints one JSON object a model. The starting models can be measured the same way.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch

import checkpoint
import receipts
import testsets
import warmstart
from fonts import WORK
from lines import LineSource, collate
from nets import Recogniser
from scoring import forgiving, read_lines, score


def network(which):
    if which == "checkpoint":
        model = Recogniser()
        model.load_state_dict(checkpoint.load(WORK / "rec.pt")["average"])
        return model.eval()
    model = Recogniser() if warmstart.is_split(which) else Recogniser.whole()
    if which.endswith(".pt"):
        return warmstart.begin(model, which, None).eval()
    sample = torch.from_numpy(collate(LineSource(0).lines(32))[0])
    return warmstart.load(model, which, sample).eval()


def measure(model, sets):
    out = {name: score(read_lines(model, lines)) for name, lines in sets.items()}
    real = receipts.lines()
    if real:
        out["receipts, without case and space"] = score(forgiving(read_lines(model, real)))
    return out


def by_family(model):
    """{field: {family: [exact lines, lines]}}; a family goes by the first nine letters of its name."""
    out = {}
    for kind in testsets.FIELDS:
        families, counts = [], {}
        lines = testsets.field_lines(kind, families=families)
        for family, (truth, read) in zip(families, read_lines(model, lines)):
            count = counts.setdefault(family, [0, 0])
            count[0] += truth == read
            count[1] += 1
        out[kind] = dict(sorted(counts.items()))
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("models", nargs="+")
    p.add_argument("--only", nargs="*", help="names of test sets")
    p.add_argument("--families", action="store_true", help="how many clean fields are exact, by held-out family")
    p.add_argument("--drawn", type=Path, help=".npz of lines that another generator drew: flat, w (widths), t (texts)")
    args = p.parse_args()
    torch.set_num_threads(1)
    if args.families:
        score_one = by_family
    else:
        sets = {args.drawn.stem: testsets.drawn_lines(args.drawn)} if args.drawn else {
            name: make() for name, make in testsets.ALL.items() if not args.only or name in args.only
        }
        score_one = partial(measure, sets=sets)
    for which in args.models:
        print(json.dumps({"model": which, **score_one(network(which))}, ensure_ascii=False, indent=1), flush=True)


if __name__ == "__main__":
    main()
