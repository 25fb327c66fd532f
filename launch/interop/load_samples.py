"""Samples per second that a PyTorch DataLoader gets out of a dataset, in random order: pictures and states of the
observation, actions of the horizon.

usage: load_samples.py webdataset|webdataset-bytes|lerobot DATASET STEPS WORKERS SECONDS     prints one JSON object

STEPS is how many frames of the observation a sample shows. LeRobot's pictures are float32 of 0 to 1, and so are those
of webdataset, made so once a batch has come from its worker; with webdataset-bytes they stay bytes, as a trainer takes
them that scales them on its accelerator.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["THP_MEM_ALLOC_ENABLE"] = "1"  # large tensors in huge pages: for either side the cheaper ones
import cpu_torchvision  # noqa: F401
import torch

FORMAT, DATASET, (STEPS, WORKERS) = sys.argv[1], Path(sys.argv[2]), map(int, sys.argv[3:5])
SECONDS = float(sys.argv[5])
BATCH, HORIZON = 16, 16


def webdataset_batches():
    from webdataset_loader import on_device, open_shards

    for batch in endless(open_shards(DATASET, BATCH, workers=WORKERS, steps=STEPS)):
        yield on_device(batch, "cpu") if FORMAT == "webdataset" else batch


def lerobot_batches():
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    info = json.loads((DATASET / "meta/info.json").read_text())
    past = [step / info["fps"] for step in range(1 - STEPS, 1)]
    future = [step / info["fps"] for step in range(HORIZON)]
    deltas = {key: past for key in info["features"] if key.startswith("observation.")} | {"action": future}
    dataset = LeRobotDataset("local/dataset", root=DATASET, delta_timestamps=deltas, video_backend=backend())
    options = {"batch_size": BATCH, "num_workers": WORKERS, "shuffle": True}
    yield from endless(torch.utils.data.DataLoader(dataset, **options, persistent_workers=WORKERS > 0))


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


def pictures(batch):
    """The pictures of a batch, by camera."""
    if FORMAT != "lerobot":
        return batch["pictures"]
    return {key: each for key, each in batch.items() if key.startswith("observation.images.") and each.ndim == 5}


def measure():
    samples, began = 0, None
    for batch in lerobot_batches() if FORMAT == "lerobot" else webdataset_batches():
        now = time.perf_counter()
        shown = next(iter(pictures(batch).values()))
        if began is None:  # the workers have started with the first batch
            began = now
            continue
        samples += len(shown)
        if now - began > SECONDS:
            kind = {"shape": list(shown.shape[1:]), "dtype": str(shown.dtype).removeprefix("torch.")}
            return {"samples": samples, "seconds": now - began, **kind}


if __name__ == "__main__":
    print(json.dumps(measure() | {"backend": backend() if FORMAT == "lerobot" else None}), flush=True)
    os._exit(0)  # does not wait for workers that are in the middle of an epoch
