"""The two networks. Their inputs and outputs are the product's interface: see README.md."""

import torch
from torch import nn
from torch.nn import functional as F

from alphabet import CLASSES


def conv(i, o, k=3, stride=1, groups=1, relu=True):
    """Convolution and batch norm, which the export folds into one."""
    layers = [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def in_two(c, rank, relu=True):
    """A 3 x 3 convolution as one down the columns to `rank` channels and one along the rows back."""
    layers = [nn.Conv2d(c, rank, (3, 1), padding=(1, 0), bias=False), nn.Conv2d(rank, c, (1, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(c)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class Residual(nn.Module):
    """Two 3 x 3 convolutions, whole or in two parts each."""

    def __init__(self, c, rank=None):
        super().__init__()
        self.a, self.b = (in_two(c, rank), in_two(c, rank, relu=False)) if rank else (conv(c, c), conv(c, c, relu=False))

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)))


class AlongTheLine(torch.autograd.Function):
    """Depthwise convolution of one row, [n, c, 1, W] with [c, 1, 1, odd k], for training.

    oneDNN takes twice as long for the gradient of its weights as these k products and sums.
    """

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=(0, weight.shape[3] // 2), groups=len(weight))

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        reach = weight.shape[3] // 2
        back = F.conv2d(g, weight.flip(3), padding=(0, reach), groups=len(weight))
        columns, g = F.pad(x, (reach, reach)).squeeze(2).transpose(1, 2), g.squeeze(2).transpose(1, 2)
        sums = [(columns[:, k:k + g.shape[1]] * g).sum((0, 1)) for k in range(weight.shape[3])]
        return back, torch.stack(sums, 1).view_as(weight)


class Mix(nn.Module):
    """Mixes along the line: depthwise 9 columns, then a pointwise MLP; residual."""

    def __init__(self, c, width=9, grow=2):
        super().__init__()
        self.d = nn.Conv2d(c, c, (1, width), padding=(0, width // 2), groups=c, bias=False)
        self.n = nn.BatchNorm2d(c)
        self.p, self.q = nn.Conv2d(c, c * grow, 1), nn.Conv2d(c * grow, c, 1)

    def forward(self, x):
        mixed = AlongTheLine.apply(x, self.d.weight.to(x.dtype)) if self.training else self.d(x)
        return x + self.q(F.relu(self.p(self.n(mixed))))


RANKS = (32, 64)
MIXES = 6


class Recogniser(nn.Module):
    """[n, 1, 40, W] -> log-probabilities [W/4, n, classes]; purely convolutional.

    `ranks` are those of its two residual blocks; with None their convolutions are whole.
    """

    def __init__(self, c=(32, 64, 128), wide=192, mixes=MIXES, drop=0.1, ranks=RANKS):
        super().__init__()
        ranks = ranks or (None, None)
        self.stem = nn.Sequential(nn.Conv2d(1, c[0], 5, (4, 2), 2, bias=False), nn.BatchNorm2d(c[0]), nn.ReLU(inplace=True))
        self.s1, self.r1 = conv(c[0], c[1], stride=(1, 2)), nn.Sequential(Residual(c[1], ranks[0]))
        self.s2, self.r2 = conv(c[1], c[2], stride=(2, 1)), nn.Sequential(Residual(c[2], ranks[1]))
        self.col = nn.Sequential(nn.Conv2d(c[2], wide, (5, 1), bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True))
        self.mix = nn.Sequential(*[Mix(wide) for _ in range(mixes)])
        self.drop, self.out = nn.Dropout(drop), nn.Linear(wide, CLASSES)

    def forward(self, x):
        x = self.mix(self.col(self.r2(self.s2(self.r1(self.s1(self.stem(x)))))))
        x = x.squeeze(2).permute(2, 0, 1)
        return F.log_softmax(self.out(self.drop(x)).float(), 2)

    @classmethod
    def whole(cls):
        """That of the starting weights and of the teacher (`checkpoints/rec-whole.pt`)."""
        return cls(mixes=4, ranks=None)


class Separable(nn.Module):
    def __init__(self, i, o, stride=1, k=3):
        super().__init__()
        self.a, self.b, self.residual = conv(i, i, k, stride, groups=i), conv(i, o, 1), i == o and stride == 1

    def forward(self, x):
        y = self.b(self.a(x))
        return x + y if self.residual else y


class Detector(nn.Module):
    """[n, 1, H, W] -> logits of text at half resolution.

    The head works at a quarter of the resolution and unfolds four logits from each
    place; `head="skip"` is the dearer one of the starting weights, at half
    resolution with a connection to the stem, kept to measure those.
    """

    def __init__(self, c=(16, 32, 64, 96, 128), head="shuffle"):
        super().__init__()
        self.stem = conv(1, c[0], 5, 2)
        self.e1 = nn.Sequential(conv(c[0], c[1], 3, 2), Separable(c[1], c[1]))
        self.e2 = nn.Sequential(Separable(c[1], c[2], 2), Separable(c[2], c[2]), Separable(c[2], c[2]))
        self.e3 = nn.Sequential(Separable(c[2], c[3], 2), Separable(c[3], c[3], k=5), Separable(c[3], c[3], k=5))
        self.e4 = nn.Sequential(Separable(c[3], c[4], 2), Separable(c[4], c[4], k=5), Separable(c[4], c[4], k=5))
        self.l4, self.l3, self.l2, self.l1 = conv(c[4], 64, 1), conv(c[3], 64, 1), conv(c[2], 48, 1), conv(c[1], 32, 1)
        self.d3, self.d2 = Separable(64, 48), Separable(48, 32)
        self.head = head
        if head == "shuffle":
            self.d1, self.h, self.o = Separable(32, 32), Separable(32, 32), nn.Conv2d(32, 4, 1)
        else:
            self.d1, self.l0, self.d0, self.out = Separable(32, 16), conv(c[0], 16, 1), conv(16, 16), nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x):
        up = lambda t: F.interpolate(t, scale_factor=2.0, mode="nearest")
        a = self.stem(x)
        b = self.e1(a)
        c = self.e2(b)
        d = self.e3(c)
        y = self.d3(self.l3(d) + up(self.l4(self.e4(d))))
        y = self.d2(self.l2(c) + up(y))
        y = self.d1(self.l1(b) + up(y))
        if self.head == "shuffle":
            return F.pixel_shuffle(self.o(self.h(y)), 2)
        return self.out(self.d0(self.l0(a) + up(y)))


class DetectorForExport(nn.Module):
    """What the product loads: probability of text at full resolution."""

    def __init__(self, detector):
        super().__init__()
        self.m = detector

    def forward(self, x):
        return torch.sigmoid(F.interpolate(self.m(x), scale_factor=2.0, mode="bilinear", align_corners=False))
