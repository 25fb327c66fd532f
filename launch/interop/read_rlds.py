"""Reads RLDS with TensorFlow Datasets and holds it against the frames it was made of.

usage: read_rlds.py DATASET SOURCE     prints one JSON object
"""

import json
import os
import sys
from pathlib import Path

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TF_ENABLE_ONEDNN_OPTS": "0"}
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from source_frames import SourceFrames, plain, same

SOURCE = SourceFrames(sys.argv[2])
[info] = Path(sys.argv[1]).glob("*/*/dataset_info.json")
builder = tfds.builder_from_directory(str(info.parent))
report = {
    "versions": {"tensorflow": tf.__version__, "tensorflow_datasets": tfds.__version__},
    "episodes": builder.info.splits["train"].num_examples,
    "steps": 0,
    "instructions": [],
    "recordings": [],
    "mismatches": [],
    "distance": 0.0,
}


def check(step, frame, first, last):
    """Faults of a step that must be a frame of the source."""
    flags = [bool(step[name]) for name in ("is_first", "is_last", "is_terminal")]
    if flags != [first, last, last] or step["discount"] != 1:
        yield f"flags are {flags}, discount is {step['discount']}"
    if step["tick_time"] != SOURCE.tick_times[frame]:
        yield "tick_time differs"
    for key in SOURCE.features:
        name = plain(key)
        if bool(step["valid"][name]) != SOURCE.valid[key][frame]:
            yield f"valid of {key} differs"
        if SOURCE.valid[key][frame] and np.isnan(step["age"][name]):
            yield f"age of {key} is {step['age'][name]}"
    for key in SOURCE.vectors:
        value = step["action"] if key == "action" else step["observation"][plain(key)]
        if not same(value, SOURCE.values[key][frame]):
            yield f"{key} differs"
    for key in SOURCE.images:
        shown = step["observation"][plain(key)].astype(np.int16)
        report["distance"] = max(report["distance"], float(np.abs(shown - SOURCE.values[key][frame]).mean()))


for episode, record in enumerate(builder.as_dataset(split="train")):
    report["recordings"].append(record["episode_metadata"]["recording"].numpy().decode())
    where = SOURCE.episode(episode)
    for frame, step in enumerate(record["steps"].as_numpy_iterator(), where.start):
        for fault in check(step, frame, frame == where.start, frame == where.stop - 1):
            report["mismatches"].append(f"frame {frame}: {fault}")
        report["instructions"].append(step["language_instruction"].decode())
        report["steps"] += 1

print(json.dumps({**report, "frames": SOURCE.total, "instructions": sorted(set(report["instructions"]))}))
