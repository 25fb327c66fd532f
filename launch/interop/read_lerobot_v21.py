"""Reads a dataset with the LeRobotDataset of version 2.1, and with what Isaac-GR00T does to find its inputs, and
holds it against the frames it was made of.

usage: read_lerobot_v21.py DATASET SOURCE     prints one JSON object
"""

import importlib.metadata
import json
import os
import sys
from pathlib import Path

# The older LeRobot and its own dependencies lie beside the environment's.
sys.path.insert(0, str(Path(sys.prefix) / "lerobot-v21"))
os.environ["HF_HUB_OFFLINE"] = "1"
import cpu_torchvision  # noqa: F401
import numpy as np
import pandas as pd
from source_frames import SourceFrames, plain, same

from lerobot.datasets.lerobot_dataset import CODEBASE_VERSION, LeRobotDataset

DATASET, SOURCE = Path(sys.argv[1]), SourceFrames(sys.argv[2])
INFO = json.loads((DATASET / "meta/info.json").read_text())
MODALITY = json.loads((DATASET / "meta/modality.json").read_text())


def read_lerobot():
    deltas = {"action": [step / SOURCE.rate for step in range(16)]}
    dataset = LeRobotDataset("kinescribe/interop", root=DATASET, delta_timestamps=deltas, video_backend="torchcodec")
    report = {"frames": len(dataset), "episodes": dataset.num_episodes, "mismatches": [], "distance": 0.0}
    for index in range(len(dataset)):
        sample = dataset[index]
        where = SOURCE.episode(int(sample["episode_index"]))
        wanted = np.arange(index, index + 16)
        if sample["action_is_pad"].tolist() != (wanted >= where.stop).tolist():
            report["mismatches"].append(f"frame {index}: action_is_pad is {sample['action_is_pad']}")
        if not same(sample["action"].numpy(), SOURCE.values["action"][wanted.clip(max=where.stop - 1)]):
            report["mismatches"].append(f"frame {index}: action differs")
        if int(sample["tick_time"]) != SOURCE.tick_times[index]:
            report["mismatches"].append(f"frame {index}: tick_time differs")
        for key in SOURCE.features:
            if bool(sample[f"valid.{key}"]) != SOURCE.valid[key][index]:
                report["mismatches"].append(f"frame {index}: valid.{key} differs")
        for key in SOURCE.vectors:
            if key != "action" and not same(sample[key].numpy(), SOURCE.values[key][index]):
                report["mismatches"].append(f"frame {index}: {key} differs")
        for key in SOURCE.images:
            shown = sample[key].permute(1, 2, 0).numpy() * 255
            distance = float(np.abs(shown - SOURCE.values[key][index]).mean())
            report["distance"] = max(report["distance"], distance)
    report["statistics"] = sorted(key for key in dataset.meta.stats if key in SOURCE.features)
    return report


def read_groot():
    """gr00t/data: parts are slices of columns, statistics are sliced alike, the task is looked up by its index."""
    tasks = [json.loads(line)["task"] for line in (DATASET / "meta/tasks.jsonl").read_text().splitlines()]
    stats = json.loads((DATASET / "meta/stats.json").read_text())
    mismatches, parts = [], {}
    for episode in range(INFO["total_episodes"]):
        path = INFO["data_path"].format(episode_chunk=episode // INFO["chunks_size"], episode_index=episode)
        frame = pd.read_parquet(DATASET / path)
        for modality in ("state", "action"):
            for part, meta in MODALITY[modality].items():
                key, cut = meta["original_key"], slice(meta["start"], meta["end"])
                values = np.stack(frame[key])[:, cut]
                parts[f"{modality}.{part}"] = list(values.shape[1:])
                if not same(values, SOURCE.values[key][SOURCE.episode(episode), cut]):
                    mismatches.append(f"episode {episode}: {modality}.{part} differs")
                for name in ("mean", "std", "min", "max", "q01", "q99"):
                    if np.array(stats[key][name])[np.arange(meta["start"], meta["end"])].shape != values.shape[1:]:
                        mismatches.append(f"{key} has {name} of another shape")
        annotation = MODALITY["annotation"]["human.task_description"]["original_key"]
        if any(tasks[index] == "" for index in frame[annotation]):
            mismatches.append(f"episode {episode}: a task is empty")
    for key in SOURCE.vectors:
        counted = SOURCE.values[key][SOURCE.valid[key]].astype(np.float64)
        if not np.allclose(stats[key]["mean"], counted.mean(0), rtol=1e-6, atol=1e-9):
            mismatches.append(f"the mean of {key} is not that of its valid values")
    floats = [key for key, each in INFO["features"].items() if "float" in each["dtype"]]
    return {
        "parts": parts,
        "video": {name: meta["original_key"] for name, meta in MODALITY["video"].items()},
        "missingStatistics": [key for key in floats if key not in stats],
        "mismatches": mismatches,
    }


print(
    json.dumps(
        {
            "versions": {"codebase": CODEBASE_VERSION, "lerobot": importlib.metadata.version("lerobot")},
            "total": SOURCE.total,
            "videos": [plain(key) for key in SOURCE.images],
            "lerobot": read_lerobot(),
            "groot": read_groot(),
        }
    )
)
