"""What a smaller recogniser takes over from a larger one: its weights, and what it says of each line.

Split weights are the nearest of their rank (singular values); the rest is learned again from the teacher's
probabilities of every class in every column (Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural
Network, 2015), beside the true text.
"""

import torch

import training
import warmstart
from nets import Recogniser

COLUMNS = 4  # of the picture, for each of the output


def load(path):
    """The recogniser of a committed checkpoint, with whole convolutions."""
    model = warmstart.begin(Recogniser.whole(), path, None)
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)


@torch.no_grad()
def hand_down(teacher, student):
    """Weights of the teacher into the student, whose convolutions may be in two parts; further mixes start as nothing."""
    given, taken = teacher.state_dict(), dict(student.named_parameters()) | dict(student.named_buffers())
    for name, value in taken.items():
        if name in given and given[name].shape == value.shape:
            value.copy_(given[name])
    for name, module in student.named_modules():
        if f"{name}.2.weight" in taken and taken[f"{name}.0.weight"].shape[2:] == (3, 1):
            down, along = split(given[f"{name}.0.weight"], module[0].out_channels)
            module[0].weight.copy_(down)
            module[1].weight.copy_(along)
            module[2].load_state_dict(teacher.get_submodule(f"{name}.1").state_dict())
    for mix in student.mix[len(teacher.mix):]:
        mix.q.weight.zero_()
        mix.q.bias.zero_()


def split(weight, rank):
    """[o, i, 3, 3] -> [rank, i, 3, 1] and [o, rank, 1, 3], whose product is the nearest of that rank."""
    o, i, h, w = weight.shape
    left, strength, right = torch.linalg.svd(weight.permute(1, 2, 0, 3).reshape(i * h, o * w), full_matrices=False)
    root = strength[:rank].sqrt()
    down = (left[:, :rank] * root).reshape(i, h, rank).permute(2, 0, 1).unsqueeze(3)
    along = (right[:rank] * root[:, None]).reshape(rank, o, w).permute(1, 0, 2).unsqueeze(2)
    return down, along


def disagreement(teacher, x, said, lines):
    """Kullback-Leibler divergence of what was `said` (log-probabilities) from the teacher, summed over each line's columns."""
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=training.HALF):
        wanted = teacher(x)
    columns = torch.tensor([-(-image.shape[1] // COLUMNS) for image, _ in lines])
    shown = torch.arange(said.shape[0])[:, None] < columns
    return ((wanted.exp() * (wanted - said)).sum(2) * shown).sum(0)
