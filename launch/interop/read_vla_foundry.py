"""Reads shards as vla_foundry's loader does, with the real webdataset and numpy, and holds them against the frames.

usage: read_vla_foundry.py DATASET SOURCE     prints one JSON object

vla_foundry itself is heavy to install; what its data pipeline does to a sample is here step by step: shards beside their
manifest, the filter for lowdim, metadata and a .jpg, names of pictures, cropping about the anchor.
"""

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import webdataset

from source_frames import SourceFrames, same

MANIFEST = Path(sys.argv[1]) / "shards" / "manifest.jsonl"
SOURCE = SourceFrames(sys.argv[2])
STATS = json.loads((MANIFEST.parent / "stats.json").read_text())


def is_kept(sample):
    """`filter_robotics_sample`."""
    return all(any(key.endswith(end) for key in sample) for end in ("lowdim.npz", "metadata.json", ".jpg"))


def crop(sequence, anchor, past, future):
    """`crop_sequence`: steps about the anchor."""
    return sequence[anchor - past : anchor + future + 1]


def check(sample):
    lowdim, metadata = sample["lowdim.npz"], sample["metadata.json"]
    episode = int(np.searchsorted(np.cumsum(SOURCE.lengths), SOURCE_ROW["next"], side="right"))
    start, end = SOURCE.starts[episode], SOURCE.starts[episode + 1]
    anchor, at = metadata["anchor_relative_idx"], start + metadata["anchor_timestep"]
    ANCHORS.add(anchor)
    if at != SOURCE_ROW["next"]:
        yield f"is about frame {at}, not {SOURCE_ROW['next']}"
    steps = at + np.arange(len(lowdim["past_mask"])) - anchor
    clamped = steps.clip(start, end - 1)
    real = steps == clamped
    if not same(lowdim["past_mask"], real & (steps < at)) or not same(lowdim["future_mask"], real & (steps >= at)):
        yield "its masks differ"
    if metadata["past_padding"] + metadata["future_padding"] != int((~real).sum()):
        yield "its padding differs"
    for key in SOURCE.vectors:
        if not same(lowdim[key], SOURCE.values[key][clamped]):
            yield f"{key} differs"
        if not same(crop(lowdim[key], anchor, 0, 0), SOURCE.values[key][at : at + 1]):
            yield f"{key} cropped to its anchor differs"
        if not same(lowdim[f"valid.{key}"], SOURCE.valid[key][clamped]):
            yield f"valid of {key} differs"
    if lowdim["tick_time"].tolist() != [SOURCE.tick_times[each] for each in clamped]:
        yield "its times differ"
    pictures = {key.rsplit(".", 1)[0]: value for key, value in sample.items() if key.endswith(".jpg")}
    for key in SOURCE.images:
        camera = key.removeprefix("observation.images.")
        shown = pictures[f"{camera}_t0"].astype(np.int16)
        if np.abs(shown - SOURCE.values[key][at]).mean() > 4:
            yield f"{camera}_t0 is not the picture of frame {at}"
    if sample["language_instructions.json"]["original"] == []:
        yield "has no instruction"


SOURCE_ROW = {"next": 0}
ANCHORS = set()
lines = [json.loads(line) for line in MANIFEST.read_text().splitlines()]
shards = [f"{MANIFEST.parent}/{line['shard']}.tar" for line in lines]
report = {"samples": 0, "said": sum(line["num_sequences"] for line in lines), "mismatches": []}
pipeline = webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8").select(is_kept)
for sample in pipeline:
    report["mismatches"] += [f"sample {sample['__key__']}: {fault}" for fault in check(sample)]
    report["samples"] += 1
    SOURCE_ROW["next"] += 1
(anchor,) = ANCHORS
for key in SOURCE.vectors:
    valid = SOURCE.valid[key]
    # Every frame is the anchor of one window.
    mean = SOURCE.values[key][valid].reshape(int(valid.sum()), -1).mean(axis=0)
    found = np.array(STATS[key]["mean_per_timestep"])[anchor]
    if not np.allclose(found, mean, atol=1e-4):
        report["mismatches"].append(f"mean of {key} at the anchor is {found}, numpy says {mean}")
print(json.dumps({"version": importlib.metadata.version("webdataset"), "frames": SOURCE.total, **report}))
