"""Reads shards with the real webdataset and holds them against the frames they were made of.

usage: read_webdataset.py DATASET SOURCE     prints one JSON object
"""

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import webdataset

DATASET, SOURCE = Path(sys.argv[1]), Path(sys.argv[2])
SPEC = json.loads((SOURCE / "frames.json").read_text())
INDEX = json.loads((DATASET / "dataset.json").read_text())
LENGTHS, SAMPLES = SPEC["lengths"], SPEC["samples"]
TOTAL = sum(LENGTHS)
STARTS = np.cumsum([0, *LENGTHS])
TIMES = [int(each) for each in SPEC["tickTimes"]]
# Observations lead up to the anchor, actions begin at it.
OFFSETS = {
    "observation": np.arange(1 - SAMPLES["observationSteps"], 1),
    "action": np.arange(SAMPLES["horizon"]),
}


def source(key, feature):
    if feature["kind"] == "image":
        shape = (TOTAL, feature["height"], feature["width"], 3)
        return np.memmap(SOURCE / f"{key}.raw", dtype=np.uint8, shape=shape, mode="r")
    rows = np.fromfile(SOURCE / f"{key}.raw").astype(feature["dtype"])
    return rows.reshape(TOTAL, *feature["shape"])


SOURCES = {key: source(key, feature) for key, feature in SPEC["features"].items()}


def array(packed):
    """What msgpack_numpy makes of the map that it writes for an array."""
    return np.frombuffer(packed[b"data"], dtype=packed[b"type"]).reshape(packed[b"shape"])


def check(sample, position, start, end):
    """Faults of the sample about the frame at a position of the dataset, whose episode is [start, end)."""
    record = sample["sample.mp"]
    if record["provenance"]["frame"] != position - start:
        yield f"it is about frame {record['provenance']['frame']}, not {position - start}"
    steps = {role: position + offsets for role, offsets in OFFSETS.items()}
    clamped = {role: each.clip(start, end - 1) for role, each in steps.items()}
    for role, at in clamped.items():
        if not np.array_equal(array(record["padded"][role]), steps[role] != at):
            yield f"padded.{role} is {array(record['padded'][role])}"
        if array(record["time"][role]).tolist() != [TIMES[each] for each in at]:
            yield f"time.{role} differs"
    for described in INDEX["features"]:
        key = described["key"]
        at = clamped[described["role"]]
        if not np.array_equal(array(record["valid"][key]), [SPEC["valid"][key][each] for each in at]):
            yield f"valid of {key} differs"
        if described["kind"] == "image":
            for member, each in zip(described["members"], at, strict=True):
                shown = sample[member].astype(np.int16)
                if np.abs(shown - SOURCES[key][each]).mean() > 4:
                    yield f"{member} is not the picture of frame {each}"
        else:
            values = array(record["values"][key])
            if not np.array_equal(values, SOURCES[key][at], equal_nan=values.dtype.kind == "f"):
                yield f"values of {key} differ"


def read():
    shards = sorted(str(path) for path in DATASET.glob("*.tar"))
    pipeline = webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8")
    report = {"samples": 0, "mismatches": [], "keys": set()}
    position = 0
    for sample in pipeline:
        episode = int(np.searchsorted(STARTS, position, side="right")) - 1
        start, end = STARTS[episode], STARTS[episode + 1]
        faults = check(sample, position, start, end)
        report["mismatches"] += [f"sample {sample['__key__']}: {fault}" for fault in faults]
        report["keys"].add(sample["__key__"])
        report["samples"] += 1
        position += SAMPLES["stride"]
    return {**report, "keys": len(report["keys"])}


print(json.dumps({"version": importlib.metadata.version("webdataset"), "frames": TOTAL, **read()}))
