"""Batches of tensors from Kinescribe's WebDataset shards. Copy it beside your trainer:

    for batch in open_shards("datasets/webdataset", batch_size=64, workers=8, split="train"):
        batch = on_device(batch, "cuda")

It needs torch, webdataset, msgpack, and simplejpeg or, two to three times slower, Pillow. A batch holds, by feature,

    pictures    uint8 [batch, steps, 3, height, width], channels last in memory; on the device float32 of 0 to 1
    values      numbers [batch, steps, ...]; a float that is not valid is NaN
    valid       bool [batch, steps]: whether the value, or the picture, lies within the feature's tolerance
    texts       lists of one string a step
    audio       by microphone, lists of WAV files as bytes

and beside these `padded`, by role (observation, action), bool [batch, steps]: whether the step lies outside of the
episode; `task`, and `provenance`: episode and frame that a sample is about.
"""

import functools
import io
import itertools
import json
from pathlib import Path

import msgpack
import numpy as np
import torch
import webdataset

try:
    from simplejpeg import decode_jpeg
except ImportError:
    from PIL import Image

    def decode_jpeg(jpeg, buffer):
        buffer[:] = Image.open(io.BytesIO(jpeg))


def open_shards(directory, batch_size, *, workers=0, steps=None, split=None, shuffle=1000, **options):
    """A DataLoader over one epoch at a time.

    steps: so many of the newest observed steps; all that are stored by default.
    split: takes the episodes of one split of the contract, such as "train".
    shuffle: samples that each worker mixes, still compressed; 0 keeps the order of the dataset.
    options: of the DataLoader, such as pin_memory.
    """
    directory = Path(directory)
    index = json.loads((directory / "dataset.json").read_text())
    shards = [str(directory / each["path"]) for each in index["shards"]]
    # With fewer shards than workers, each worker reads all of them, in one order, and takes its share of the samples.
    _, processes, _, _ = webdataset.utils.pytorch_worker_info()
    few = len(shards) < processes * max(1, workers)
    stream = webdataset.WebDataset(
        shards,
        nodesplitter=None if few else share,
        workersplitter=None,
        shardshuffle=len(shards) if shuffle and not few else False,
        empty_check=False,
    )
    if few:
        stream = stream.compose(share)
    stream = stream.map(unpacked)
    if split is not None:
        episodes = json.loads((directory / "manifest.json").read_text())["episodes"]
        wanted = {each["id"] for each in episodes if each.get("split", "train") == split}
        stream = stream.select(functools.partial(is_of, wanted))
    if shuffle:
        stream = stream.shuffle(shuffle, initial=shuffle)
    stream = stream.batched(batch_size, collation_fn=Collation(index, steps))
    return torch.utils.data.DataLoader(
        stream, batch_size=None, num_workers=workers, persistent_workers=workers > 0, **options
    )


def on_device(batch, device="cpu"):
    """Moves a batch, and makes floats of its pictures there: over the bus goes a quarter of the bytes."""

    def moved(each):
        if isinstance(each, dict):
            return {key: moved(value) for key, value in each.items()}
        return each.to(device, non_blocking=True) if torch.is_tensor(each) else each

    batch = moved(batch)
    batch["pictures"] = {key: each.float().div_(255) for key, each in batch["pictures"].items()}
    return batch


def share(each):
    """Of shards or of samples those that fall to this worker of this process."""
    rank, processes, worker, workers = webdataset.utils.pytorch_worker_info()
    return itertools.islice(each, rank * workers + worker, None, processes * workers)


def unpacked(sample):
    return sample | {"sample.mp": msgpack.unpackb(sample["sample.mp"])}


def is_of(episodes, sample):
    return sample["sample.mp"]["provenance"]["episode"] in episodes


class Collation:
    """Makes a batch of samples: pictures are decoded straight to their place in it."""

    def __init__(self, index, steps):
        self.features = index["features"]
        self.sounds = {each["name"]: each["member"] for each in index.get("audio", [])}
        self.steps = steps or index["observationSteps"]

    def __call__(self, samples):
        records = [each["sample.mp"] for each in samples]
        batch = {"pictures": {}, "values": {}, "valid": {}, "texts": {}, "padded": {}}
        for feature in self.features:
            key, kind, role = feature["key"], feature["kind"], feature["role"]
            batch["valid"][key] = self.stacked((each["valid"][key] for each in records), role)
            if kind == "image":
                batch["pictures"][key] = self.pictures(samples, feature)
            elif kind == "text":
                batch["texts"][key] = [each["texts"][key][self.taken(role)] for each in records]
            else:
                batch["values"][key] = self.stacked((each["values"][key] for each in records), role)
        batch["audio"] = {name: [each[member] for each in samples] for name, member in self.sounds.items()}
        for role in ("observation", "action"):
            batch["padded"][role] = self.stacked((each["padded"][role] for each in records), role)
        return batch | {name: [each[name] for each in records] for name in ("task", "provenance")}

    def taken(self, role):
        return slice(-self.steps, None) if role == "observation" else slice(None)

    def stacked(self, arrays, role):
        return torch.from_numpy(np.stack([unpacked_array(each)[self.taken(role)] for each in arrays]))

    def pictures(self, samples, feature):
        names = feature["members"][-self.steps :]
        pixels = torch.empty((len(samples), len(names), *feature["shape"][1:]), dtype=torch.uint8)
        if torch.utils.data.get_worker_info():
            pixels.share_memory_()  # else they would be copied there when they are decoded
        for sample, row in zip(samples, pixels.numpy()):
            for name, picture in zip(names, row):
                decode_jpeg(sample[name], buffer=picture)
        return pixels.permute(0, 1, 4, 2, 3)


def unpacked_array(packed):
    """What msgpack_numpy makes of the map that it writes for an array."""
    return np.frombuffer(packed[b"data"], packed[b"type"]).reshape(packed[b"shape"])
