"""Continues training from exported weights, in which batch norm is folded away.

Folded weights go back into the convolutions; each batch norm is then set, from
statistics measured on training input, to the identity it was folded into. The
network computes the same as the exported one and can be trained on.
"""

import torch
from torch import nn

import checkpoint
import rtenfile


def _pairs(model):
    """{name of a convolution: (convolution, the batch norm after it or None)}"""
    modules = dict(model.named_modules())
    out = {}
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d):
            parent, _, last = name.rpartition(".")
            after = f"{parent}.n" if last == "d" else f"{parent}.{int(last) + 1}" if last.isdigit() else ""
            norm = modules.get(after)
            out[name] = (module, norm if isinstance(norm, nn.BatchNorm2d) else None)
    return out


def begin(model, start, sample):
    """Fills `model` from exported weights, or from the averaged ones of a committed checkpoint."""
    if str(start).endswith(".pt"):
        kept = checkpoint.load(start)["average"]
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in kept.items()})
        return model
    return load(model, start, sample())


def is_split(path):
    """Whether the recogniser of the file has its 3 x 3 convolutions in two parts."""
    if str(path).endswith(".pt"):
        return checkpoint.load(path)["average"]["r1.0.a.0.weight"].shape[2:] == (3, 1)
    return any(module_name(operator) == "r1.0.a.1" for operator, _ in rtenfile.layers(path))


@torch.no_grad()
def load(model, path, sample):
    """Fills `model` from the .rten file at `path`; `sample` is training input.

    Layers that the file does not have, or has in another shape, stay as they are.
    """
    pairs, beta, linear = _pairs(model), {}, getattr(model, "out", None)
    for operator, arrays in rtenfile.layers(path):
        name = module_name(operator)
        weights = [torch.from_numpy(a.copy()) for a in arrays]
        if name in pairs and pairs[name][0].weight.shape == weights[0].shape:
            module, norm = pairs[name]
            module.weight.copy_(weights[0])
            if norm is not None:
                beta[name] = weights[1]
            elif len(weights) > 1:
                module.bias.copy_(weights[1])
        elif name == "out" and isinstance(linear, nn.Linear):  # exported as product and sum
            target = linear.weight if weights[0].dim() == 2 else linear.bias
            target.copy_(weights[0].T if weights[0].dim() == 2 else weights[0])
    for name, (module, norm) in pairs.items():
        if name.endswith(".d") and name not in beta:
            block = model.get_submodule(name.removesuffix(".d"))
            block.q.weight.zero_()  # a block that the file does not have yet: starts as nothing
            block.q.bias.zero_()
    _measure_norms(model, pairs, beta, sample)
    return model


def module_name(operator):
    """'/r1/r1.0/a/a.0/Conv' -> 'r1.0.a.0': a container's name is repeated by what it holds."""
    parts = operator.strip("/").removeprefix("m/").split("/")[:-1]
    return ".".join(p for p, after in zip(parts, parts[1:] + [""]) if not after.startswith(p + "."))


@torch.no_grad()
def _measure_norms(model, pairs, beta, sample):
    """Layer after layer: statistics of the bare convolution, then the identity."""
    model.eval()
    handles = []

    def hook(name, norm):
        def set_identity(_module, _inputs, output):
            mean, var = output.mean((0, 2, 3)), output.var((0, 2, 3), unbiased=False)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
            norm.weight.copy_((var + norm.eps).sqrt())
            norm.bias.copy_(mean + beta[name])
        return set_identity

    for name, (module, norm) in pairs.items():
        if name in beta:
            handles.append(module.register_forward_hook(hook(name, norm)))
    model(sample)
    for h in handles:
        h.remove()
