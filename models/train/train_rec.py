"""Trains the recogniser; resumes from its checkpoint, stops at a given hour.

    python train_rec.py --until 08:30 [--start checkpoints/rec.pt | --teacher checkpoints/rec-whole.pt]
"""

import random

import torch
from torch.nn import functional as F

import checkpoint
import teacher
import training
from fonts import WORK
from lines import STEP, LineSource, batches, collate
from nets import Recogniser
from scoring import read_lines, score
from testsets import general_lines

EXCHANGE_EVERY_S = 75
COLUMNS_A_CHARACTER = 6
ILLEGIBLE = 1.2  # loss a character from which a line is scaled down
TRUTH_SHARE = 0.4  # of the loss that the text makes when there is a teacher


def loss_of(model, lines, rng, taught_by=None):
    x, targets, lengths = collate(lines, rng.choice((0, 0, STEP, 2 * STEP)))
    x = torch.from_numpy(x).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=training.HALF):
        out = model(x)
    columns, sizes = torch.full((len(lines),), out.shape[0]), torch.tensor(lengths)
    losses = F.ctc_loss(out, torch.tensor(targets), columns, sizes, zero_infinity=True, reduction="none")
    spans = torch.where(sizes > 0, sizes, columns // COLUMNS_A_CHARACTER)  # what is no text counts as if it were some
    hopeless = (ILLEGIBLE / (losses.detach() / spans).clamp(min=1e-6)).clamp(max=1)  # lines nobody could read count less
    if taught_by:
        losses = TRUTH_SHARE * losses + (1 - TRUTH_SHARE) * teacher.disagreement(taught_by, x, out, lines)
    return (losses * hopeless).sum() / len(targets)


def main():
    args = training.parse("rec", 1e-3)
    torch.set_num_threads(1)
    path, keeps = WORK / f"{args.name}.pt", not args.worker
    model = Recogniser().to(memory_format=torch.channels_last)
    taught_by = teacher.load(args.teacher) if args.teacher else None
    if taught_by:
        teacher.hand_down(taught_by, model)
    saved, state = training.resume(path, model, args.start, lambda: torch.from_numpy(collate(LineSource(0).lines(48))[0]))
    average = checkpoint.Average(model)
    optimiser = torch.optim.AdamW(model.parameters(), args.rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
    training.resume_averaging(saved, average, optimiser)
    state["runs"] += 1
    source = LineSource(args.seed * 1000 + state["runs"] + 500 * (args.worker or 0))  # a resumed run draws new lines
    peers = None if args.worker is None else checkpoint.Peers(WORK, args.name, args.worker)
    held, rng = general_lines(300) if keeps else [], random.Random(state["runs"])
    first, busy_before, mean = state["step"], state["busy_s"], None
    clock = training.Clock(args.until, args.since)
    model.train()
    for lines in batches(source):
        if clock.over():
            break
        for group in optimiser.param_groups:
            group["lr"] = clock.rate(args.rate, state["step"] - (0 if args.since else first))
        loss = loss_of(model, lines, rng, taught_by)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 3.0)
        optimiser.step()
        average.update(model)
        state["step"] += 1
        state["seen"] += len(lines)
        state["busy_s"] = busy_before + clock.busy_s()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if state["step"] % 100 == 0:
            clock.log(step=state["step"], seen=state["seen"], loss=round(mean, 4))
        if peers and clock.due("exchange", EXCHANGE_EVERY_S):
            peers.exchange(model)
        if keeps and clock.due("save", training.SAVE_EVERY_S):
            checkpoint.write(path, model, average, optimiser, state)
        if keeps and clock.due("score", training.SCORE_EVERY_S):
            clock.log(step=state["step"], held_out=score(read_lines(average.model, held)))
    if keeps:
        checkpoint.write(path, model, average, optimiser, state)


if __name__ == "__main__":
    main()
