"""What both trainings share: arguments, the clock, the learning rate, the log."""

import argparse
import json
import math
import os
import signal
import time

import torch

import checkpoint
import warmstart

WARM_UP_STEPS, SAVE_EVERY_S, SCORE_EVERY_S = 200, 240, 900
# Each layer has compiled kernels of its own for each width; oneDNN keeps 1 024 unless told before its first, and compiled
# the others again and again, which took a fifth of a step.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "100000")
HALF = torch.cpu._is_amx_tile_supported()  # without AMX, bf16 convolutions take 1.4 times as long as fp32


def parse(name, rate):
    p = argparse.ArgumentParser()
    p.add_argument("--until", required=True, help="UTC hour to stop at, HH:MM; the learning rate falls to nearly zero by then")
    p.add_argument("--since", help="UTC hour at which the learning rate began to fall, to go on with an interrupted run")
    p.add_argument("--start", help="exported .rten, or .pt of checkpoints/, to begin from when the work folder has no checkpoint")
    p.add_argument("--teacher", help="checkpoint of a larger recogniser to learn from")
    p.add_argument("--name", default=name)
    p.add_argument("--rate", type=float, default=rate)
    p.add_argument("--worker", type=int, help="0 or 1 of two that average their weights; 0 keeps the checkpoint")
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def seconds(hour):
    """'18:30' in seconds of the day."""
    hours, minutes = map(int, hour.split(":"))
    return hours * 3600 + minutes * 60


class Clock:
    """Wall time of this run: how much has passed, and what is due."""

    def __init__(self, until, since=None):
        self.began = time.time()
        self.end = self.began + (seconds(until) - self.began) % 86400
        self.fell_from = self.began - ((self.began - seconds(since)) % 86400 if since else 0)
        self.cpu = time.process_time()
        self.last = {}
        self.told_to_stop = False
        signal.signal(signal.SIGTERM, self._stop)  # a stopped run still writes its checkpoint

    def _stop(self, _number, _frame):
        self.told_to_stop = True

    def over(self):
        return self.told_to_stop or time.time() >= self.end

    def due(self, what, every_s):
        now = time.time()
        if now - self.last.setdefault(what, self.began) < every_s:
            return False
        self.last[what] = now
        return True

    def busy_s(self):
        return time.process_time() - self.cpu

    def rate(self, peak, steps):
        """Warm-up, then a cosine to two per cent at the end."""
        fraction = min(1, (time.time() - self.fell_from) / (self.end - self.fell_from))
        return peak * min(1, (steps + 1) / WARM_UP_STEPS) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * fraction)))

    def log(self, **facts):
        minutes = round((time.time() - self.began) / 60, 1)
        print(json.dumps({**facts, "minutes": minutes, "cpu_minutes": round(self.busy_s() / 60, 1)}), flush=True)


def resume(path, model, start, example):
    """Where a run goes on: what was saved and the state. A new run begins with the weights of `start`, if one is named."""
    saved = checkpoint.load(path) if path.exists() else None
    if saved:
        model.load_state_dict(saved["model"])
        return saved, saved["state"]
    if start:
        warmstart.begin(model, start, example)
    return None, {"step": 0, "seen": 0, "runs": 0, "busy_s": 0.0}


def resume_averaging(saved, average, optimiser):
    """The average and the optimiser as they were saved."""
    if saved:
        average.model.load_state_dict(saved["average"])
        average.steps = saved["state"]["step"]
        optimiser.load_state_dict(saved["optimiser"])
