"""Training or inference steps of a net in PyTorch, timed one by one; prints one JSON line.

python pytorch_step.py --model r18@96|resnet50@224|cifar-resnet20@32|... --task training|inference --batch 256 --steps 7 --mode eager|compile --device cpu|cuda --precision float32|bfloat16
The family's nets are those of scripts/fixtures/resnet_models.py, the reference of the tests too.
On the GPU float32 uses TF32, as residua does there, and cuDNN times its algorithms.
The memory allocator is tuned by the caller through GLIBC_TUNABLES: first-touch page faults cost more than the arithmetic.
"""
import argparse
import json
import math
import os
import re
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "fixtures"))
import resnet_models


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


def model_of(name):
    """The net of a name such as 'r18@96', the shape of its images, its number of classes."""
    net, size = name.split("@")
    if net == "r18":
        return chapter_resnet18(), (1, int(size), int(size)), 10
    shape = (3, int(size), int(size))
    match = re.fullmatch(r"(cifar-|wide-)?resne[xt]+(\d+)(-2|-32x[48]d)?(-v[12])?", net)
    if not match:
        raise SystemExit(f"Expected --model r18@SIZE or a net of the family such as resnet50@SIZE, got {name}.")
    kind, depth, variant, version = match[1], int(match[2]), match[3], (match[4] or "-")[1:]
    if kind == "cifar-":
        return resnet_models.cifar_resnet(depth, version or ("v2" if depth in (164, 1001) else "v1"), 10), shape, 10
    options = {None: {}, "-2": {"width_per_group": 128}, "-32x4d": {"groups": 32, "width_per_group": 4}, "-32x8d": {"groups": 32, "width_per_group": 8}}
    return resnet_models.resnet(depth, version or "v1.5", 1000, **options[variant]), shape, 1000


def peak_rss_bytes():
    """The most memory that this process had. The kernel counts a parent's into a child's ru_maxrss."""
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024


def process_start():
    """When this process began, in seconds of the system's clock."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
        return time.time() - float(uptime.read().split()[0]) + ticks / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="r18@96")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--min-seconds", type=float, default=0)
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
    net, image_shape, classes = model_of(args.model)
    net = net.to(args.device, memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    x = torch.rand(args.batch, *image_shape).to(args.device, memory_format=torch.channels_last)
    labels = (torch.arange(args.batch) % classes).to(args.device)
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
    timed = i = 0
    while i < args.warmup + args.steps or timed < args.min_seconds:
        start = time.perf_counter()
        loss = step()
        if i == 0:
            first_step = time.time() - process_start()
        if i >= args.warmup:
            seconds.append(time.perf_counter() - start)
            timed += seconds[-1]
        i += 1
    run = {"library": f"PyTorch {torch.__version__}", "seconds": seconds, "peakRssBytes": peak_rss_bytes()}
    run["firstStepSeconds"] = first_step
    run["loss"] = loss if math.isfinite(loss) else None  # JSON has no NaN
    if args.device == "cuda":
        run["peakDeviceBytes"] = torch.cuda.max_memory_reserved()
    print(json.dumps(run))


if __name__ == "__main__":
    main()
