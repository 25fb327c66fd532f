"""Reads copied video with the real LeRobotDataset and holds it, pixel by pixel, against the packets it was recorded in.

usage: read_lerobot_video.py DATASET SOURCE KEY     prints one JSON object

SOURCE/episodes.json names, for each episode, its packets in Annex B and the picture that its first frame shows.
"""

import importlib.metadata
import json
import os
import sys
from fractions import Fraction
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import av
import cpu_torchvision  # noqa: F401
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

DATASET, SOURCE, KEY = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
EPISODES = json.loads((SOURCE / "episodes.json").read_text())


def remuxed(file):
    """The packets in an mp4 by FFmpeg's muxer, which knows nothing of ours."""
    target = SOURCE / f"{file}.mp4"
    with av.open(str(SOURCE / file)) as raw, av.open(str(target), "w") as muxed:
        stream = muxed.add_stream_from_template(raw.streams.video[0], opaque=True)
        for i, packet in enumerate(each for each in raw.demux(video=0) if each.size):
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = i
            muxed.mux(packet)
    return str(target)


def by_pyav(file):
    with av.open(file) as source:
        return [frame.to_rgb().to_ndarray() for frame in source.decode(video=0)]


def by_torchcodec(file):
    from torchcodec.decoders import VideoDecoder

    return [frame.permute(1, 2, 0).numpy() for frame in VideoDecoder(file)]


DECODERS = {"pyav": by_pyav}
try:
    import torchcodec.decoders  # noqa: F401

    DECODERS["torchcodec"] = by_torchcodec
except Exception as error:
    print(f"torchcodec does not load here: {str(error).splitlines()[0]}", file=sys.stderr)


def pixels_of(picture):
    """A decoded picture, [3, height, width] in 0 to 1, as bytes."""
    return (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def read(backend):
    sources = []
    for episode in EPISODES:
        pictures = DECODERS[backend](remuxed(episode["file"]))
        sources.append(pictures[episode["first"] : episode["first"] + episode["frames"]])
    dataset = LeRobotDataset(
        "local/video", root=DATASET, video_backend=backend, delta_timestamps={KEY: [-1 / 30, 0.0]}
    )
    report = {"frames": len(dataset), "pictures": 0, "different": []}
    for index in range(len(dataset)):
        sample = dataset[index]
        pictures = sources[sample["episode_index"].item()]
        frame = sample["frame_index"].item()
        for shown, wanted in zip(sample[KEY], [max(frame - 1, 0), frame], strict=True):
            report["pictures"] += 1
            if not np.array_equal(pixels_of(shown), pictures[wanted]):
                report["different"].append([index, wanted])
    return report


print(
    json.dumps(
        {
            "versions": {name: importlib.metadata.version(name) for name in ("lerobot", "torchcodec", "av")},
            "read": {backend: read(backend) for backend in DECODERS},
        }
    )
)
