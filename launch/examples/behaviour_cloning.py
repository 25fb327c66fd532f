"""Trains a small policy by behaviour cloning, from WebDataset shards or from a LeRobot dataset.

    python behaviour_cloning.py webdataset datasets/webdataset
    python behaviour_cloning.py lerobot datasets/lerobot

needs torch, and webdataset or lerobot. It shows how a trainer uses what Kinescribe writes: windows of
observations and actions, and the masks that keep made-up values out of the loss. The policy looks at the newest
picture of every camera and at the state, and says the next actions.
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
    import webdataset

    description = json.loads((directory / "dataset.json").read_text())
    cameras = [each["members"][-1] for each in description["features"] if each["kind"] == "image"]
    shards = sorted(str(path) for path in directory.glob("*.tar"))

    def array(packed):
        return torch.tensor(np.frombuffer(packed[b"data"], packed[b"type"]).reshape(packed[b"shape"]))

    def numbers(sample):
        record = sample["sample.mp"]
        return {
            "state": array(record["values"][STATE])[-1],
            "action": array(record["values"][ACTION]),
            # An action counts when it was measured and lies inside of the episode.
            "mask": array(record["valid"][ACTION]) & ~array(record["padded"]["action"]),
        }

    def example(sample):
        pictures = [torch.from_numpy(sample[name]).permute(2, 0, 1) / 255 for name in cameras]
        return numbers(sample) | {"pictures": torch.stack([shrunk(each) for each in pictures])}

    def all_numbers():
        stream = webdataset.WebDataset(shards, shardshuffle=False)
        return [numbers(each) for each in stream.decode(only=["sample.mp"])]

    rows = all_numbers()
    scales = {
        "state": Scale(torch.stack([each["state"] for each in rows])),
        "action": Scale(torch.cat([each["action"][each["mask"]] for each in rows])),
    }
    stream = webdataset.WebDataset(shards, shardshuffle=False).shuffle(1000, initial=1000)
    examples = stream.decode("rgb8").map(example).repeat()
    return torch.utils.data.DataLoader(examples, batch_size=batch_size), scales


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

    def batch(examples):
        pictures = [[shrunk(each[key]) for key in dataset.meta.camera_keys] for each in examples]
        valid = torch.stack([each[f"valid.{ACTION}"].reshape(horizon).bool() for each in examples])
        padded = torch.stack([each[f"{ACTION}_is_pad"] for each in examples])
        return {
            "pictures": torch.stack([torch.stack(each) for each in pictures]),
            "state": torch.stack([each[STATE] for each in examples]),
            "action": torch.stack([each[ACTION] for each in examples]),
            "mask": valid & ~padded,
        }

    rows = {key: torch.stack(list(dataset.hf_dataset[key])) for key in (STATE, ACTION)}
    scales = {"state": Scale(rows[STATE]), "action": Scale(rows[ACTION])}
    options = {"batch_size": batch_size, "shuffle": True, "collate_fn": batch}
    return torch.utils.data.DataLoader(dataset, **options), scales


def shrunk(picture):
    size = (PICTURE_SIZE, PICTURE_SIZE)
    return functional.interpolate(picture[None], size, mode="bilinear", antialias=True)[0]


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
    """To mean 0 and deviation 1, by rows [N, values]; NaN, which is what is not valid, is left out."""

    def __init__(self, rows):
        rows = rows[~rows.isnan().any(1)]
        self.mean, self.deviation = rows.mean(0), rows.std(0).clamp_min(1e-3)

    def __call__(self, values):
        return (values - self.mean) / self.deviation


def endless(loader):
    while True:
        yield from loader


def train(loader, scales, steps, learning_rate):
    """Prints the loss on its way; returns its mean over the first and over the last tenth of the steps."""
    stream = endless(loader)
    sample = next(stream)
    policy = Policy(sample["pictures"].shape[1], sample["state"].shape[1], *sample["action"].shape[1:])
    optimiser = torch.optim.Adam(policy.parameters(), learning_rate)
    losses = []
    for step, batch in zip(range(steps), stream):
        mask = batch["mask"]
        # A state that is not valid is NaN: the mean stands for "not known".
        state = scales["state"](batch["state"]).nan_to_num()
        predicted = policy(batch["pictures"], state)
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
    loader, scales = opened(args.directory, args.batch_size)
    first, last = train(loader, scales, args.steps, args.learning_rate)
    print(json.dumps({"firstLoss": first, "lastLoss": last}))


if __name__ == "__main__":
    main()
