"""Reads an episode with the Python readers of its format.

usage: read_mcap.py EPISODE.mcap     prints one JSON object
"""

import hashlib
import importlib.metadata
import json
import sys
from collections import defaultdict
from pathlib import Path

from mcap.reader import NonSeekingReader, make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader

EPISODE = sys.argv[1]


class Topics:
    """Per topic: how many messages, and one digest over all payloads and times."""

    def __init__(self):
        self.counts = defaultdict(int)
        self.digests = defaultdict(hashlib.sha256)

    def add(self, topic, log_time, data):
        self.counts[topic] += 1
        self.digests[topic].update(log_time.to_bytes(8, "little"))
        self.digests[topic].update(data)

    def report(self):
        return {topic: [count, self.digests[topic].hexdigest()] for topic, count in sorted(self.counts.items())}


def mcap_indexed():
    """By the index, every checksum checked, every message decoded."""
    topics, joints = Topics(), []
    with open(EPISODE, "rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for _, channel, message, decoded in reader.iter_decoded_messages():
            topics.add(channel.topic, message.log_time, message.data)
            if channel.topic == "/joint_states":
                joints.append(sum(decoded.position))
        return {
            "topics": topics.report(),
            "jointSum": sum(joints),
            "metadata": sorted(record.name for record in reader.iter_metadata()),
            "attachments": {each.name: len(each.data) for each in reader.iter_attachments()},
            "profile": reader.get_header().profile,
        }


def mcap_streamed():
    """From the first byte to the last, without the index."""
    topics = Topics()
    with open(EPISODE, "rb") as file:
        for _, channel, message in NonSeekingReader(file, validate_crcs=True).iter_messages():
            topics.add(channel.topic, message.log_time, message.data)
    return {"topics": topics.report()}


def rosbags_any():
    """By definitions in the file alone, as a ROS bag."""
    topics, joints = Topics(), []
    with AnyReader([Path(EPISODE)]) as reader:
        for connection, log_time, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            topics.add(connection.topic, log_time, bytes(data))
            if connection.topic == "/joint_states":
                joints.append(float(message.position.sum()))
        return {
            "topics": topics.report(),
            "jointSum": sum(joints),
            "types": {connection.topic: connection.msgtype for connection in reader.connections},
            "times": [str(reader.start_time), str(reader.end_time)],
        }


print(
    json.dumps(
        {
            "versions": {name: importlib.metadata.version(name) for name in ("mcap", "mcap-ros2-support", "rosbags")},
            "indexed": mcap_indexed(),
            "streamed": mcap_streamed(),
            "rosbags": rosbags_any(),
        }
    )
)
