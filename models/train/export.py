"""Writes the trained networks as .onnx and .rten, and checks that all three agree.

    python export.py rec | det [--out folder]

The averaged weights go to `checkpoints/` too, in half precision: what later training begins from.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import checkpoint
from any_size import any_size
from alphabet import MODELS
from fonts import WORK
from nets import Detector, DetectorForExport, Recogniser

DETECTOR_SIZE = (1600, 1152)  # of the drawn network; the file takes any multiples of 32
KEPT = Path(__file__).with_name("checkpoints")
OPSET = 17


def averaged(name, model):
    """The averaged weights of a checkpoint."""
    saved = checkpoint.load(WORK / f"{name}.pt")
    weights = saved["average"]
    KEPT.mkdir(exist_ok=True)
    checkpoint.save(KEPT / f"{name}.pt", average={k: v.half() if v.is_floating_point() else v for k, v in weights.items()}, state=saved["state"])
    model.load_state_dict(weights)
    return model.eval()


def write(model, sample, axes, path):
    """-> path of the .rten file, after ONNX's output was compared with torch's."""
    onnx_path = WORK / (Path(path).stem + ".onnx")
    torch.onnx.export(model, (sample,), str(onnx_path), input_names=["image"], output_names=["out"], dynamic_axes=axes, opset_version=OPSET, dynamo=False)
    with torch.no_grad():
        expected = model(sample).numpy()
    got = onnxruntime.InferenceSession(str(onnx_path)).run(None, {"image": sample.numpy()})[0]
    worst = float(np.abs(np.exp(expected) - np.exp(got)).max())
    assert worst < 1e-3, f"{path}: onnx differs from torch by {worst}"
    subprocess.run([str(Path(sys.executable).parent / "rten-convert"), str(onnx_path), str(path)], check=True)
    print(path, "differs from torch by at most", worst)
    return path


def main():
    p = argparse.ArgumentParser()
    p.add_argument("which", choices=("rec", "det"))
    p.add_argument("--out", type=Path, default=MODELS)
    args = p.parse_args()
    torch.manual_seed(0)
    if args.which == "rec":
        write(averaged("rec", Recogniser()), torch.rand(2, 1, 40, 400) - 0.5, {"image": {0: "batch", 3: "width"}, "out": {0: "columns", 1: "batch"}}, args.out / "text-recognition.rten")
        return
    model = DetectorForExport(averaged("det", Detector())).eval()
    drawn = write(model, torch.rand(1, 1, *DETECTOR_SIZE) - 0.5, {"image": {0: "batch"}, "out": {0: "batch"}}, WORK / "text-detection-fixed.rten")
    (args.out / "text-detection.rten").write_bytes(any_size(drawn.read_bytes()))


if __name__ == "__main__":
    main()
