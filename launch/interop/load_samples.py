"""Samples per second that a PyTorch DataLoader gets out of a dataset: pictures and states of the observation,
actions of the horizon, all as float32 tensors.

usage: load_samples.py webdataset|webdataset-bytes|lerobot DATASET SECONDS     prints one JSON object

With webdataset-bytes the pictures stay bytes, as a trainer takes them that scales them on its accelerator.
"""

import functools
import io
import json
import os
import sys
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import cpu_torchvision  # noqa: F401
import msgpack
import numpy as np
import torch
from PIL import Image

FORMAT, DATASET, SECONDS = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
BATCH, WORKERS = 16, 2
OBSERVATION_STEPS, HORIZON = 2, 16


def webdataset_loader():
    import webdataset

    index = json.loads((DATASET / "dataset.json").read_text())
    images = {each["key"]: each["members"] for each in index["features"] if each["kind"] == "image"}
    vectors = [each["key"] for each in index["features"] if each["kind"] != "image"]

    # Windows that follow each other show the same pictures: each is decoded once.
    @functools.lru_cache(maxsize=4 * len(images))
    def decoded(jpeg):
        return np.asarray(Image.open(io.BytesIO(jpeg)))

    def example(sample):
        values = msgpack.unpackb(sample["sample.mp"])["values"]
        pictures = {key: np.stack([decoded(sample[name]) for name in names]) for key, names in images.items()}
        taken = {key: scale(torch.from_numpy(stack)) for key, stack in pictures.items()}
        return taken | {key: array(values[key]) for key in vectors}

    def scale(pixels):
        """[steps, height, width, 3] of bytes to what LeRobot gives: [steps, 3, height, width] of 0 to 1."""
        channels_first = pixels.permute(0, 3, 1, 2)
        return channels_first if FORMAT == "webdataset-bytes" else channels_first.contiguous().float().div_(255)

    def array(packed):
        return torch.tensor(np.frombuffer(packed[b"data"], packed[b"type"]).reshape(packed[b"shape"]))

    shards = sorted(str(path) for path in DATASET.glob("*.tar"))
    stream = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).map(example).repeat()
    return webdataset.WebLoader(stream, batch_size=BATCH, num_workers=WORKERS)


def lerobot_loader():
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    info = json.loads((DATASET / "meta/info.json").read_text())
    past = [step / info["fps"] for step in range(1 - OBSERVATION_STEPS, 1)]
    future = [step / info["fps"] for step in range(HORIZON)]
    deltas = {key: past for key in info["features"] if key.startswith("observation.")} | {"action": future}
    dataset = LeRobotDataset("local/dataset", root=DATASET, delta_timestamps=deltas, video_backend=backend())
    options = {"batch_size": BATCH, "num_workers": WORKERS, "shuffle": True}
    return torch.utils.data.DataLoader(dataset, **options)


def backend():
    """torchcodec, which is the quicker one, needs FFmpeg's libraries on the system."""
    try:
        from torchcodec.decoders import VideoDecoder  # noqa: F401

        return "torchcodec"
    except Exception:
        return "pyav"


def endless(loader):
    while True:
        yield from loader


def measure():
    loader = lerobot_loader() if FORMAT == "lerobot" else webdataset_loader()
    samples, began = 0, None
    for batch in endless(loader):
        now = time.perf_counter()
        if began is None:  # the workers have started with the first batch
            began = now
            shapes = {key: list(value.shape) for key, value in batch.items() if torch.is_tensor(value)}
            continue
        samples += BATCH
        if now - began > SECONDS:
            return {"samples": samples, "seconds": now - began, "shapes": shapes}


if __name__ == "__main__":
    print(json.dumps(measure() | {"backend": backend() if FORMAT == "lerobot" else None}), flush=True)
    os._exit(0)  # does not wait for workers that are in the middle of an epoch
