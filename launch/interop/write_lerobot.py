"""Writes a dataset with LeRobot's own writer from frames that lie decoded on the disk: no recording is read,
nothing is aligned. A peer for the time that a conversion takes.

usage: write_lerobot.py SOURCE DATASET pngs|streaming     prints one JSON object
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import cpu_torchvision  # noqa: F401
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

SOURCE, DATASET, WAY = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
SPEC = json.loads((SOURCE / "frames.json").read_text())
TOTAL = sum(SPEC["lengths"])


def described(feature):
    if feature["kind"] == "image":
        names = ["height", "width", "channels"]
        return {"dtype": "video", "shape": (feature["height"], feature["width"], 3), "names": names}
    return {"dtype": feature["dtype"], "shape": tuple(feature["shape"]), "names": None}


def rows(key, feature):
    if feature["kind"] == "image":
        shape = (TOTAL, feature["height"], feature["width"], 3)
        return np.memmap(SOURCE / f"{key}.raw", dtype=np.uint8, shape=shape, mode="r")
    return np.fromfile(SOURCE / f"{key}.raw").astype(feature["dtype"]).reshape(TOTAL, *feature["shape"])


FEATURES = {key: described(feature) for key, feature in SPEC["features"].items()}
ROWS = {key: rows(key, feature) for key, feature in SPEC["features"].items()}



def cpu_seconds():
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


began, cpu_began = time.perf_counter(), cpu_seconds()
dataset = LeRobotDataset.create(
    "local/peer",
    fps=SPEC["samples"]["tickRateHz"],
    features=FEATURES,
    root=DATASET,
    # What its documentation advises for two cameras.
    image_writer_threads=8 if WAY == "pngs" else 0,
    streaming_encoding=WAY == "streaming",
)
index = 0
for length in SPEC["lengths"]:
    for _ in range(length):
        dataset.add_frame({"task": "a task"} | {key: np.array(ROWS[key][index]) for key in ROWS})
        index += 1
    dataset.save_episode()
dataset.finalize()
seconds = time.perf_counter() - began
print(json.dumps({"frames": index, "seconds": seconds, "cpuSeconds": cpu_seconds() - cpu_began}))
