"""Training or inference steps of the chapter's ResNet-18 in PyTorch, timed one by one; prints one JSON line.

python pytorch_step.py --task training|inference --size 96 --batch 256 --steps 7 --mode eager|compile --device cpu|cuda --precision float32|bfloat16
On the GPU float32 uses TF32, as residua does there, and cuDNN times its algorithms.
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
    parser.add_argument("--task", choices=["training", "inference"], default="training")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    net = chapter_resnet18().to(args.device, memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    x = torch.rand(args.batch, 1, args.size, args.size).to(args.device, memory_format=torch.channels_last)
    labels = (torch.arange(args.batch) % 10).to(args.device)
    mixed = args.precision == "bfloat16"

    def loss_of():
        with torch.autocast(args.device, torch.bfloat16, enabled=mixed):
            return F.cross_entropy(net(x), labels)

    def scores_of():
        with torch.inference_mode(), torch.autocast(args.device, torch.bfloat16, enabled=mixed):
            return net(x)

    forward = loss_of if args.task == "training" else scores_of
    if args.task == "inference":
        net.eval()
    if args.mode == "compile":
        forward = torch.compile(forward)

    def training_step():
        loss = forward()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    step = training_step if args.task == "training" else lambda: forward()[0, 0].item()

    seconds = []
    for i in range(args.warmup + args.steps):
        start = time.perf_counter()
        loss = step()
        if i >= args.warmup:
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    run = {"library": f"PyTorch {torch.__version__}", "seconds": seconds, "peakRssBytes": peak, "loss": loss}
    if args.device == "cuda":
        run["peakDeviceBytes"] = torch.cuda.max_memory_reserved()
    print(json.dumps(run))


if __name__ == "__main__":
    main()
