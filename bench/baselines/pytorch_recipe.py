"""The same recipe in PyTorch: a small ResNet on Fashion-MNIST, evaluated after each epoch; prints one JSON line.

python pytorch_recipe.py RECIPE.json
RECIPE.json is what bench/recipe.ts writes: the config of the run, `data` with the folder of the IDX files, `rates` with the learning
rate of each step, `mean` and `std` of the normalisation, `seed`, `threads`. Images stay in memory and are augmented a batch at a time.
"""
import gzip
import json
import sys
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """He et al. 2016: two 3x3 convolutions, a projection where the shape changes."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


def small_resnet(blocks, widths):
    """With the stem for small images: a 3x3 convolution."""
    layers = [nn.Conv2d(1, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    channels = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths)):
        for i in range(count):
            layers.append(BasicBlock(channels, width, 2 if stage > 0 and i == 0 else 1))
            channels = width
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return net


def read_idx(folder, name):
    """The array in an IDX file of bytes, compressed or not."""
    plain, packed = Path(folder, name), Path(folder, f"{name}.gz")
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    dimensions = content[3]
    shape = numpy.frombuffer(content, ">i4", dimensions, 4)
    return torch.from_numpy(numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape).copy())


def augmented(x, flip, padding):
    """x: uint8 [batch, 1, side, side]. Each image is flipped or not, padded with black and cut at a place of its own."""
    batch, _, side, _ = x.shape
    if padding:
        rows = torch.randint(0, 2 * padding + 1, (batch, 1)) + torch.arange(side)
        columns = torch.randint(0, 2 * padding + 1, (batch, 1)) + torch.arange(side)
        padded = F.pad(x, (padding,) * 4)[:, 0]
        x = padded[torch.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]
    if flip:
        chosen = torch.rand(batch) < 0.5
        x[chosen] = x[chosen].flip(3)
    return x


def main():
    recipe = json.loads(Path(sys.argv[1]).read_text())
    config = recipe["config"]
    mixed = config["precision"] == "bfloat16"
    torch.manual_seed(recipe["seed"])
    torch.set_num_threads(recipe["threads"])
    images = {kind: read_idx(recipe["data"], f"{kind}-images-idx3-ubyte")[:, None] for kind in ("train", "t10k")}
    labels = {kind: read_idx(recipe["data"], f"{kind}-labels-idx1-ubyte").long() for kind in ("train", "t10k")}
    net = small_resnet(config["modelOptions"]["blocks"], config["modelOptions"]["widths"])
    net = net.to(memory_format=torch.channels_last)
    optimizer = config["optimizer"]
    sgd = torch.optim.SGD(
        net.parameters(),
        lr=optimizer["learningRate"],
        momentum=optimizer["momentum"],
        nesterov=optimizer["nesterov"],
        weight_decay=optimizer["weightDecay"],
    )
    decay = config["averageDecay"]
    average = None
    if decay is not None:
        average_fn = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
        average = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average_fn, use_buffers=True)

    def normalised(x):
        return ((x.float() / 255 - recipe["mean"]) / recipe["std"]).contiguous(memory_format=torch.channels_last)

    def accuracy():
        evaluated = average.module if average else net
        evaluated.eval()
        correct = 0
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            for x, y in zip(images["t10k"].split(500), labels["t10k"].split(500)):
                correct += (evaluated(normalised(x)).argmax(1) == y).sum().item()
        net.train()
        return correct / len(labels["t10k"])

    epochs, step, start = [], 0, time.perf_counter()
    for epoch in range(config["epochs"]):
        for rows in torch.randperm(len(labels["train"])).split(config["batchSize"]):
            x = augmented(images["train"][rows], config["augment"]["flip"], config["augment"]["crop"])
            for group in sgd.param_groups:
                group["lr"] = recipe["rates"][step]
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                loss = F.cross_entropy(
                    net(normalised(x)).float(), labels["train"][rows], label_smoothing=config["labelSmoothing"]
                )
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            if average:
                average.update_parameters(net)
            step += 1
        top1 = accuracy()
        epochs.append({"epoch": epoch + 1, "seconds": time.perf_counter() - start, "accuracy": top1})
        print(f"epoch {epoch + 1}: {top1:.4f} after {epochs[-1]['seconds']:.0f} s", file=sys.stderr, flush=True)
    print(json.dumps({"library": f"PyTorch {torch.__version__}", "epochs": epochs}))


if __name__ == "__main__":
    main()
