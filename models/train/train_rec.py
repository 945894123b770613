"""Trains the recogniser; resumes from its checkpoint, stops at a given hour.

    python train_rec.py --until 08:30 [--start path/to/text-recognition.rten]
"""

import argparse
import json
import math
import random
import time

import torch
from torch.nn import functional as F

import checkpoint
import warmstart
from fonts import WORK
from lines import LineSource, batches, collate
from nets import Recogniser
from scoring import read_lines, score
from testsets import general_lines

WARM_UP_STEPS, SAVE_EVERY_S, SCORE_EVERY_S, EXCHANGE_EVERY_S = 200, 240, 900, 75

ILLEGIBLE = 1.2  # loss a character from which a line is scaled down


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--until", required=True, help="UTC hour to stop at, HH:MM; the learning rate falls to zero by then")
    p.add_argument("--start", help="exported .rten to begin from when there is no checkpoint")
    p.add_argument("--name", default="rec")
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--pixels", type=int, default=9000, help="columns a batch")
    p.add_argument("--worker", type=int, help="0 or 1 of two that average their weights; 0 keeps the checkpoint")
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def end_time(clock):
    hour, minute = map(int, clock.split(":"))
    return time.time() + (hour * 3600 + minute * 60 - time.time() % 86400) % 86400


def learning_rate(peak, step, fraction):
    return peak * min(1, (step + 1) / WARM_UP_STEPS) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, fraction))))


def loss_of(model, lines, rng):
    x, targets, lengths = collate(lines, rng.choice((0, 0, 8, 24, 50)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(torch.from_numpy(x).to(memory_format=torch.channels_last))
    columns = torch.full((len(lines),), out.shape[0])
    sizes = torch.tensor(lengths)
    losses = F.ctc_loss(out, torch.tensor(targets), columns, sizes, zero_infinity=True, reduction="none")
    hopeless = (ILLEGIBLE / (losses.detach() / sizes).clamp(min=1e-6)).clamp(max=1)  # lines nobody could read count less
    return (losses * hopeless).sum() / len(targets)


def main():
    args = parse()
    torch.set_num_threads(1)
    end, path = end_time(args.until), WORK / f"{args.name}.pt"
    model = Recogniser().to(memory_format=torch.channels_last)
    state = {"step": 0, "seen": 0, "runs": 0, "busy_s": 0.0}
    if path.exists():
        saved = checkpoint.load(path)
        model.load_state_dict(saved["model"])
        state = saved["state"]
    elif args.start:
        sample = collate(LineSource(0).lines(48))[0]
        warmstart.load(model, args.start, torch.from_numpy(sample))
    average = checkpoint.Average(model)
    optimiser = torch.optim.AdamW(model.parameters(), args.rate, weight_decay=0.01, betas=(0.9, 0.98))
    if path.exists():
        average.model.load_state_dict(saved["average"])
        average.steps = state["step"]
        optimiser.load_state_dict(saved["optimiser"])
    state["runs"] += 1
    source = LineSource(args.seed * 1000 + state["runs"] + 500 * (args.worker or 0))  # a resumed run draws new lines
    peers = None if args.worker is None else checkpoint.Peers(WORK, args.name, args.worker)
    keeps = not args.worker
    held = general_lines(300) if keeps else []
    rng, began, cpu = random.Random(state["runs"]), time.time(), time.process_time()
    saved_at = scored_at = exchanged_at = began
    first_step, mean = state["step"], None
    model.train()
    for lines in batches(source, pixels=args.pixels):
        now = time.time()
        if now >= end:
            break
        rate = learning_rate(args.rate, state["step"] - first_step, (now - began) / (end - began))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(model, lines, rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 3.0)
        optimiser.step()
        average.update(model)
        state["step"] += 1
        state["seen"] += len(lines)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if state["step"] % 100 == 0:
            spent = time.process_time() - cpu
            print(json.dumps({"step": state["step"], "seen": state["seen"], "loss": round(mean, 4), "rate": round(rate, 6),
                              "minutes": round((now - began) / 60, 1), "cpu_minutes": round(spent / 60, 1)}), flush=True)
        if peers and now - exchanged_at > EXCHANGE_EVERY_S:
            exchanged_at = now
            peers.exchange(model)
        if keeps and now - saved_at > SAVE_EVERY_S:
            saved_at = now
            write(path, model, average, optimiser, state)
        if keeps and now - scored_at > SCORE_EVERY_S:
            scored_at = now
            print(json.dumps({"step": state["step"], "held_out": score(read_lines(average.model, held))}), flush=True)
    state["busy_s"] += time.process_time() - cpu
    if keeps:
        write(path, model, average, optimiser, state)


def write(path, model, average, optimiser, state):
    checkpoint.save(path, model=model.state_dict(), average=average.model.state_dict(), optimiser=optimiser.state_dict(), state=state)


if __name__ == "__main__":
    main()
