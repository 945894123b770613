"""Running average of the weights, and checkpoints that training resumes from."""

import copy
import os
import time

import torch


class Average:
    """Exponential moving average of a model's weights and norms; what is exported."""

    def __init__(self, model, decay=0.999):
        self.model, self.decay, self.steps = copy.deepcopy(model).eval(), decay, 0

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 20))
        for kept, new in zip(self.model.state_dict().values(), model.state_dict().values()):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)


def save(path, **parts):
    """Writes beside and renames, so that a stop half-way loses nothing."""
    torch.save(parts, f"{path}.new")
    os.replace(f"{path}.new", path)


def write(path, model, average, optimiser, state):
    """All that a run needs to go on."""
    save(path, model=model.state_dict(), average=average.model.state_dict(), optimiser=optimiser.state_dict(), state=state)


def load(path):
    return torch.load(path, map_location="cpu", weights_only=True)


class Peers:
    """Two workers that average their weights now and then, through files.

    Each writes its weights and takes the mean with what the other last wrote, if
    that is fresh; nobody waits, so the workers may run at different speeds.
    """

    FRESH_S = 240

    def __init__(self, folder, name, worker):
        self.mine = folder / f"{name}.worker{worker}.pt"
        self.others = [folder / f"{name}.worker{k}.pt" for k in (0, 1) if k != worker]

    @torch.no_grad()
    def exchange(self, model):
        save(self.mine, model=model.state_dict())
        for other in self.others:
            if other.exists() and time.time() - other.stat().st_mtime < self.FRESH_S:
                theirs = load(other)["model"]
                for name, value in model.state_dict().items():
                    if value.is_floating_point():
                        value.lerp_(theirs[name], 0.5)
