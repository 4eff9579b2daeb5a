"""One training run of the chapter's ResNet-18 in PyTorch, timed step by step; prints one JSON line.

python pytorch_train.py --size 96 --batch 256 --steps 7 --mode eager|compile
The memory allocator is tuned by the caller through GLIBC_TUNABLES: first-touch page faults cost more than the arithmetic.
"""
import argparse
import json
import resource
import time

import torch
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    """The chapter's block: relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))."""

    def __init__(self, in_channels, channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=strides, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv3 = nn.Conv2d(in_channels, channels, 1, stride=strides) if use_1x1conv else None
        self.bn1 = nn.BatchNorm2d(channels)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = self.conv3(x) if self.conv3 else x
        return F.relu(y + shortcut)


def chapter_resnet18(classes=10):
    layers = [nn.Conv2d(1, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, width in enumerate([64, 128, 256, 512]):
        first = stage > 0
        layers += [Residual(channels, width, first, 2 if first else 1), Residual(width, width)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", choices=["eager", "compile"], default="eager")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    net = chapter_resnet18().to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    x = torch.rand(args.batch, 1, args.size, args.size).to(memory_format=torch.channels_last)
    labels = torch.arange(args.batch) % 10

    def step_body():
        loss = F.cross_entropy(net(x), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss

    def loss_of():
        return F.cross_entropy(net(x), labels)

    if args.mode == "compile":
        compiled = torch.compile(loss_of)

        def step():
            loss = compiled()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return loss
    else:
        step = step_body

    seconds = []
    for i in range(args.warmup + args.steps):
        start = time.perf_counter()
        loss = step().item()
        if i >= args.warmup:
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"library": f"PyTorch {torch.__version__}", "seconds": seconds, "peakRssBytes": peak, "loss": loss}))


if __name__ == "__main__":
    main()
