"""Holds the batches of the published loader against the samples of the shards, decoded by Pillow.

usage: read_batches.py DATASET WORKERS STEPS [SPLIT]     prints one JSON object
"""

import collections
import io
import json
import sys
from pathlib import Path

import cpu_torchvision  # noqa: F401
import msgpack
import numpy as np
import webdataset
from PIL import Image
from source_frames import same
from webdataset_loader import on_device, open_shards

DATASET, (WORKERS, STEPS), SPLIT = Path(sys.argv[1]), map(int, sys.argv[2:4]), [*sys.argv[4:], None][0]
INDEX = json.loads((DATASET / "dataset.json").read_text())


def array(packed):
    """What msgpack_numpy makes of the map that it writes for an array."""
    return np.frombuffer(packed[b"data"], packed[b"type"]).reshape(packed[b"shape"])


def stored():
    """The samples by the episode and the frame that they are about."""
    shards = [str(DATASET / each["path"]) for each in INDEX["shards"]]
    samples = {}
    for sample in webdataset.WebDataset(shards, shardshuffle=False):
        record = msgpack.unpackb(sample["sample.mp"])
        samples[record["provenance"]["episode"], record["provenance"]["frame"]] = sample, record
    return samples


def faults(batch, floats, row, sample, record):
    """What of a row of a batch is not as its sample has it."""
    for role in ("observation", "action"):
        taken = slice(-STEPS, None) if role == "observation" else slice(None)
        if not same(batch["padded"][role][row], array(record["padded"][role])[taken]):
            yield f"padded.{role} differs"
        for feature in INDEX["features"]:
            key = feature["key"]
            if feature["role"] != role:
                continue
            if not same(batch["valid"][key][row], array(record["valid"][key])[taken]):
                yield f"valid of {key} differs"
            if feature["kind"] == "vector" and not same(
                batch["values"][key][row], array(record["values"][key])[taken]
            ):
                yield f"values of {key} differ"
            if feature["kind"] == "image":
                jpegs = [sample[name] for name in feature["members"][taken]]
                wanted = np.stack([np.asarray(Image.open(io.BytesIO(each))) for each in jpegs])
                wanted = wanted.transpose(0, 3, 1, 2)
                if not same(batch["pictures"][key][row], wanted):
                    yield f"pictures of {key} are not what Pillow decodes"
                if not same(floats["pictures"][key][row], wanted.astype(np.float32) / 255):
                    yield f"floats of {key} are not its bytes over 255"
    if batch["task"][row] != record["task"]:
        yield "its task differs"


def read():
    samples, seen, mismatches, orders = stored(), collections.Counter(), [], []
    loader = open_shards(DATASET, 16, workers=WORKERS, steps=STEPS, split=SPLIT, shuffle=100)
    for epoch in range(2):
        orders.append([])
        for batch in loader:
            floats = on_device(batch, "cpu")
            for row, provenance in enumerate(batch["provenance"]):
                key = provenance["episode"], provenance["frame"]
                seen[key] += 1
                orders[-1].append(key)
                if epoch == 0:
                    mismatches += [f"{key}: {each}" for each in faults(batch, floats, row, *samples[key])]
    return {
        "stored": len(samples),
        "samples": len(seen),
        "episodes": sorted({episode for episode, _ in seen}),
        # Each epoch shows every sample once, and no two epochs in one order.
        "once": set(seen.values()) == {2},
        "shuffled": orders[0] != orders[1],
        "decoder": open_shards.__globals__["decode_jpeg"].__module__,
        "mismatches": mismatches[:20],
    }


print(json.dumps(read()))
