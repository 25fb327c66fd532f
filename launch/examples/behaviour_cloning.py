"""Trains a small policy by behaviour cloning, from WebDataset shards or from a LeRobot dataset.

    python behaviour_cloning.py webdataset datasets/webdataset
    python behaviour_cloning.py lerobot datasets/lerobot

needs torch, and lerobot or what webdataset_loader.py beside it needs. It shows how a trainer uses what Kinescribe
writes: windows of observations and actions, the masks that keep made-up values out of the loss, and the statistics of
the training split. The policy looks at the newest picture of every camera and at the state, and says the next actions.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

STATE, ACTION = "observation.state", "action"
PICTURE_SIZE = 64


def open_webdataset(directory, batch_size):
    """Batches of {pictures [B, cameras, 3, H, W], state [B, S], action [B, T, A], mask [B, T]}, and scales."""
    from webdataset_loader import on_device, open_shards

    features = json.loads((directory / "manifest.json").read_text())["features"]
    statistics = {each["key"]: each.get("statistics") for each in features}
    scales = {name: Scale(statistics[key]) for name, key in (("state", STATE), ("action", ACTION))}

    loader = open_shards(directory, batch_size, steps=1, split="train")

    def batches():
        for batch in map(on_device, loader):
            yield {
                "pictures": torch.stack([each[:, -1] for each in batch["pictures"].values()], 1),
                "state": batch["values"][STATE][:, -1],
                "action": batch["values"][ACTION],
                # An action counts when it was measured and lies inside of the episode.
                "mask": batch["valid"][ACTION] & ~batch["padded"]["action"],
            }

    return batches, scales


def open_lerobot(directory, batch_size, horizon=16):
    """The same from LeRobot's own dataset class."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    info = json.loads((directory / "meta/info.json").read_text())
    steps = [step / info["fps"] for step in range(horizon)]
    dataset = LeRobotDataset(
        "local/dataset",
        root=directory,
        delta_timestamps={ACTION: steps, f"valid.{ACTION}": steps},
        video_backend="pyav",
    )
    scales = {name: Scale(dataset.meta.stats[key]) for name, key in (("state", STATE), ("action", ACTION))}

    loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True)

    def batches():
        for batch in loader:
            valid = batch[f"valid.{ACTION}"].reshape(-1, horizon).bool()
            yield {
                "pictures": torch.stack([batch[key] for key in dataset.meta.camera_keys], 1),
                "state": batch[STATE],
                "action": batch[ACTION],
                "mask": valid & ~batch[f"{ACTION}_is_pad"],
            }

    return batches, scales


def shrunk(pictures):
    """[B, cameras, 3, H, W] to what the policy sees."""
    size = (PICTURE_SIZE, PICTURE_SIZE)
    small = functional.interpolate(pictures.flatten(0, 1), size, mode="bilinear", antialias=True)
    return small.unflatten(0, pictures.shape[:2])


class Policy(nn.Module):
    """One small convolutional encoder for all cameras, one hidden layer, all actions at once."""

    def __init__(self, cameras, state_size, horizon, action_size):
        super().__init__()
        self.action_shape = (horizon, action_size)
        self.eye = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
        )
        self.head = nn.Sequential(
            nn.Linear(cameras * 32 * 16 + state_size, 128),
            nn.ReLU(),
            nn.Linear(128, horizon * action_size),
        )

    def forward(self, pictures, state):
        batch, cameras = pictures.shape[:2]
        seen = self.eye(pictures.flatten(0, 1)).view(batch, -1)
        return self.head(torch.cat([seen, state], 1)).view(batch, *self.action_shape)


class Scale:
    """To mean 0 and deviation 1, by the statistics of a dataset, which leave out what is not valid."""

    def __init__(self, statistics):
        # An element without a single value has no statistics, and stays NaN.
        self.mean, self.deviation = (
            torch.from_numpy(np.array(statistics[name], dtype=np.float32)) for name in ("mean", "std")
        )
        self.deviation = self.deviation.clamp_min(1e-3)

    def __call__(self, values):
        return (values - self.mean) / self.deviation


def endless(batches):
    while True:
        yield from batches()


def train(batches, scales, steps, learning_rate):
    """Prints the loss on its way; returns its mean over the first and over the last tenth of the steps."""
    stream = endless(batches)
    sample = next(stream)
    policy = Policy(sample["pictures"].shape[1], sample["state"].shape[1], *sample["action"].shape[1:])
    optimiser = torch.optim.Adam(policy.parameters(), learning_rate)
    losses = []
    for step, batch in zip(range(steps), stream):
        mask = batch["mask"]
        # A state that is not valid is NaN: the mean stands for "not known".
        state = scales["state"](batch["state"]).nan_to_num()
        predicted = policy(shrunk(batch["pictures"]), state)
        loss = functional.mse_loss(predicted[mask], scales["action"](batch["action"])[mask])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if step % max(1, steps // 10) == 0:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    tenth = max(1, steps // 10)
    return float(np.mean(losses[:tenth])), float(np.mean(losses[-tenth:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("format", choices=["webdataset", "lerobot"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    args = parser.parse_args()
    torch.manual_seed(0)
    opened = {"webdataset": open_webdataset, "lerobot": open_lerobot}[args.format]
    batches, scales = opened(args.directory, args.batch_size)
    first, last = train(batches, scales, args.steps, args.learning_rate)
    print(json.dumps({"firstLoss": first, "lastLoss": last}))


if __name__ == "__main__":
    main()
