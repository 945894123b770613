"""Trains the detector; resumes from its checkpoint, stops at a given hour.
    python train_det.py --until 08:30 [--start checkpoints/det.pt]
"""
import cv2
import numpy as np
import torch
from torch.nn import functional as F

import checkpoint
import training
from detection_score import score_pages, test_pages
from fonts import WORK
from nets import Detector
from pages import PageSource

BATCH = 4
BORDER_PX, BORDER_WEIGHT = 5, 3.0  # the gap between lines is what must not be filled


def batch(source):
    """-> images in -0.5..0.5, share of text and weight at half resolution"""
    pairs = [source.crop() for _ in range(BATCH)]
    images = np.stack([i for i, _ in pairs])[:, None].astype(np.float32) / 255 - 0.5
    masks = np.stack([m for _, m in pairs])
    kernel = np.ones((BORDER_PX, BORDER_PX), np.uint8)
    border = np.stack([cv2.dilate(m, kernel) - m for m in masks])[:, None].astype(np.float32)
    half = lambda a: F.avg_pool2d(torch.from_numpy(a), 2)
    return torch.from_numpy(images), half(masks[:, None].astype(np.float32)), 1 + (BORDER_WEIGHT - 1) * half(border)


def loss_of(model, images, text, weight):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=training.HALF):
        logits = model(images.to(memory_format=torch.channels_last))
    logits = logits.float()
    p = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, text, weight)
    dice = 1 - (2 * (p * text).sum() + 1) / (p.sum() + text.sum() + 1)
    return 2 * entropy + dice


def main():
    args = training.parse("det", 1.5e-3)
    torch.set_num_threads(1)
    path = WORK / f"{args.name}.pt"
    model = Detector().to(memory_format=torch.channels_last)
    saved, state = training.resume(path, model, args.start, lambda: batch(PageSource(0))[0])
    average = checkpoint.Average(model)
    optimiser = torch.optim.AdamW(model.parameters(), args.rate, weight_decay=0.01)
    training.resume_averaging(saved, average, optimiser)
    state["runs"] += 1
    source, held, first, mean = PageSource(args.seed * 1000 + state["runs"]), test_pages(24), state["step"], None
    clock = training.Clock(args.until, args.since)
    busy_before = state["busy_s"]
    model.train()
    while not clock.over():
        for group in optimiser.param_groups:
            group["lr"] = clock.rate(args.rate, state["step"] - first)
        loss = loss_of(model, *batch(source))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        average.update(model)
        state["step"] += 1
        state["seen"] += BATCH
        state["busy_s"] = busy_before + clock.busy_s()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if state["step"] % 50 == 0:
            clock.log(step=state["step"], seen=state["seen"], loss=round(mean, 4))
        if clock.due("save", training.SAVE_EVERY_S):
            checkpoint.write(path, model, average, optimiser, state)
        if clock.due("score", training.SCORE_EVERY_S):
            clock.log(step=state["step"], held_out=score_pages(average.model, held))
    checkpoint.write(path, model, average, optimiser, state)


if __name__ == "__main__":
    main()
