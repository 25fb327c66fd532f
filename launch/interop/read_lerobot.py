"""Reads a dataset with the real LeRobotDataset and holds it against the frames it was made of.

usage: read_lerobot.py DATASET SOURCE     prints one JSON object
"""

import importlib.metadata
import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import cpu_torchvision  # noqa: F401
import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.utils import dataset_to_policy_features

DATASET, SOURCE = sys.argv[1], Path(sys.argv[2])
SPEC = json.loads((SOURCE / "frames.json").read_text())
FPS, LENGTHS = SPEC["samples"]["tickRateHz"], SPEC["lengths"]
TOTAL = sum(LENGTHS)
STARTS = np.cumsum([0, *LENGTHS])
EPISODE_OF = np.repeat(np.arange(len(LENGTHS)), LENGTHS)


def source(key):
    feature = SPEC["features"][key]
    if feature["kind"] == "image":
        shape = (TOTAL, feature["height"], feature["width"], 3)
        return np.memmap(SOURCE / f"{key}.raw", dtype=np.uint8, shape=shape, mode="r")
    rows = np.fromfile(SOURCE / f"{key}.raw").astype(feature["dtype"])
    shape = feature["shape"]
    return rows.reshape(TOTAL) if shape == [1] else rows.reshape(TOTAL, *shape)


SOURCES = {key: source(key) for key in SPEC["features"]}
IMAGES = [key for key, feature in SPEC["features"].items() if feature["kind"] == "image"]
VECTORS = [key for key in SOURCES if key not in IMAGES]


def open_dataset(backend, **options):
    return LeRobotDataset("local/example", root=DATASET, video_backend=backend, **options)


def usable_backends():
    """torchcodec needs FFmpeg's libraries on the system; PyAV brings its own."""
    try:
        import torchcodec  # noqa: F401
        from torchcodec.decoders import VideoDecoder  # noqa: F401

        return ["torchcodec", "pyav"]
    except Exception as error:
        print(f"torchcodec does not load here: {str(error).splitlines()[0]}", file=sys.stderr)
        return ["pyav"]


def pixels_of(picture):
    """A decoded picture, [3, height, width] in 0 to 1, as the source holds it."""
    return (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.int16)


def distance(shown, index, key):
    """Mean distance of a decoded picture from a frame of the source, of 255."""
    return float(np.abs(shown - SOURCES[key][index]).mean())


def is_of_another_frame(shown, index, other, key):
    """Whether a picture resembles another frame more, by the pixels in which the two frames differ clearly."""
    own, foreign = SOURCES[key][index].astype(np.int16), SOURCES[key][other].astype(np.int16)
    moved = np.abs(own - foreign).max(axis=2) > 60
    if moved.sum() < 50:
        return False
    return np.abs(shown - own)[moved].mean() > np.abs(shown - foreign)[moved].mean()


def read_all(backend):
    """Every frame one by one, as a training job does."""
    dataset = open_dataset(backend)
    report = {"frames": len(dataset), "mismatches": [], "distance": dict.fromkeys(IMAGES, 0.0)}
    for index in range(len(dataset)):
        frame = dataset[index]
        start, end = STARTS[EPISODE_OF[index]], STARTS[EPISODE_OF[index] + 1]
        expected = {
            "index": index,
            "episode_index": EPISODE_OF[index],
            "frame_index": index - start,
            "tick_time": int(SPEC["tickTimes"][index]),
            **{f"valid.{key}": SPEC["valid"][key][index] for key in SOURCES},
        }
        for key, value in expected.items():
            if frame[key].item() != value:
                report["mismatches"].append(f"frame {index}: {key} is {frame[key].item()}, not {value}")
        for key in VECTORS:
            if not np.array_equal(frame[key].numpy(), SOURCES[key][index], equal_nan=SOURCES[key].dtype.kind == "f"):
                report["mismatches"].append(f"frame {index}: {key} is {frame[key]}, not {SOURCES[key][index]}")
        for key in IMAGES:
            shown = pixels_of(frame[key])
            report["distance"][key] = max(report["distance"][key], distance(shown, index, key))
            for other in (index - 1, index + 1):
                if start <= other < end and is_of_another_frame(shown, index, other, key):
                    report["mismatches"].append(f"frame {index}: {key} shows frame {other}")
    return report


def read_windows(backend):
    """Windows by delta_timestamps: clamped at the ends of the episode, and marked there."""
    steps = {key: [-1, 0] for key in [VECTORS[0], *IMAGES]} | {"action": list(range(16))}
    deltas = {key: [step / FPS for step in each] for key, each in steps.items()}
    dataset = open_dataset(backend, delta_timestamps=deltas)
    report = {"windows": len(dataset), "mismatches": [], "distance": 0.0}
    for index in range(len(dataset)):
        sample = dataset[index]
        start, end = STARTS[EPISODE_OF[index]], STARTS[EPISODE_OF[index] + 1]
        for key, offsets in steps.items():
            wanted = [index + offset for offset in offsets]
            padded = [not start <= each < end for each in wanted]
            clamped = [min(max(each, start), end - 1) for each in wanted]
            if sample[f"{key}_is_pad"].tolist() != padded:
                report["mismatches"].append(f"window {index}: {key}_is_pad is {sample[f'{key}_is_pad']}")
            if key in IMAGES:
                far = max(distance(pixels_of(each), at, key) for each, at in zip(sample[key], clamped, strict=True))
                report["distance"] = max(report["distance"], far)
            elif not np.array_equal(sample[key].numpy(), SOURCES[key][clamped], equal_nan=True):
                report["mismatches"].append(f"window {index}: {key} differs")
    return report


backends = usable_backends()
dataset = open_dataset(backends[0])
second = open_dataset(backends[0], episodes=[len(LENGTHS) - 1])
batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True)))
print(
    json.dumps(
        {
            "versions": {name: importlib.metadata.version(name) for name in ("lerobot", "torch", "torchcodec", "av")},
            "fps": dataset.fps,
            "episodes": dataset.num_episodes,
            "tasks": dataset.meta.tasks.index.tolist(),
            "policyFeatures": {
                key: [feature.type.value, list(feature.shape)]
                for key, feature in dataset_to_policy_features(dataset.features).items()
            },
            "statistics": {
                key: {name: list(np.shape(value)) for name, value in table.items()}
                for key, table in dataset.meta.stats.items()
                if key in SOURCES
            },
            "lastEpisode": [len(second), second[0]["episode_index"].item(), second[0]["frame_index"].item()],
            "batch": {key: list(batch[key].shape) for key in SOURCES},
            "read": {backend: read_all(backend) for backend in (backends if IMAGES else backends[:1])},
            "windows": read_windows(backends[0]),
        }
    )
)
