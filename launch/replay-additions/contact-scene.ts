import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import type { ChannelSpec, MessageValue } from '../../schemas/message.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import type { ReplayAddition } from '../../schemas/replay-addition.ts';
import { DerivedTopic, topicsOfType } from './derived-topic.ts';
import { type Color, type Cube, type Rotation, sceneChannel, sceneUpdate } from './scene.ts';

/** Forces as arrows and tactile arrays as heat maps, in the frames of their sensors. */
export function contactScene(reader: EpisodeReader): readonly ReplayAddition[] {
  return [
    ...topicsOfType(reader, WRENCH).map((source) => forceArrow(reader, source)),
    ...topicsOfType(reader, TACTILE).map((source) => heatMap(reader, source)),
  ];
}

/** What is added for a topic of a type. */
export function contactChannels(topic: string, type: string): readonly ChannelSpec[] {
  switch (type.replace('/msg/', '/')) {
    case WRENCH:
      return [sceneChannel(`/kinescribe/contact${topic}`)];
    case TACTILE:
      return [sceneChannel(`/kinescribe/tactile${topic}`)];
    default:
      return [];
  }
}

const WRENCH = 'geometry_msgs/WrenchStamped';
const TACTILE = 'kinescribe_msgs/TactileArray';

/** Ten newtons, a firm push, are as long as a hand. */
const METRES_PER_NEWTON = 0.02;
const LONGEST_METRES = 0.6;
/** Below this a sensor's noise would make the arrow spin. */
const LEAST_NEWTONS = 0.2;
const ORANGE: Color = { r: 1, g: 0.45, b: 0.1, a: 1 };

function forceArrow(reader: EpisodeReader, source: string): ReplayAddition {
  return new DerivedTopic(reader, {
    source,
    channel: contactChannels(source, WRENCH)[0]!,
    derive: (value, logTime) => {
      const { x, y, z } = forceOf(value);
      const newtons = Math.hypot(x, y, z);
      const length = Math.min(newtons * METRES_PER_NEWTON, LONGEST_METRES);
      const arrow = { position: ORIGIN, orientation: along(x, y, z), length, color: ORANGE };
      return sceneUpdate(frameOf(value), {
        logTime,
        arrows: newtons < LEAST_NEWTONS ? [] : [arrow],
        cubes: [],
      });
    },
  });
}

const ORIGIN = { x: 0, y: 0, z: 0 };

function forceOf(value: MessageValue): { readonly x: number; readonly y: number; readonly z: number } {
  const { force } = (value.wrench ?? {}) as { readonly force?: typeof ORIGIN };
  return force ?? ORIGIN;
}

/** The shortest turn of the x axis to a direction. */
export function along(x: number, y: number, z: number): Rotation {
  const length = Math.hypot(x, y, z);
  const w = length + x;
  // Straight back: any half turn that flips the x axis.
  if (length === 0 || w < 1e-9 * length)
    return { x: 0, y: 0, z: length === 0 ? 0 : 1, w: length === 0 ? 1 : 0 };
  const norm = Math.hypot(w, y, z);
  return { x: 0, y: -z / norm, z: y / norm, w: w / norm };
}

/** Taxels of a finger, metres apart. */
const PITCH = 0.005;
/** The fullest bar is as high as a taxel is wide. */
const FULL_HEIGHT = 0.005;
const SAMPLES = 32;

function heatMap(reader: EpisodeReader, source: string): ReplayAddition {
  let fullScale = 1;
  return new DerivedTopic(reader, {
    source,
    channel: contactChannels(source, TACTILE)[0]!,
    prepare: async () => {
      fullScale = (await highestPressure(reader, source)) || 1;
    },
    derive: (value, logTime) =>
      sceneUpdate(frameOf(value), { logTime, arrows: [], cubes: taxels(value, fullScale) }),
  });
}

/** Rows run along y, columns along x, as kinescribe_msgs/TactileArray says; the middle is the frame's origin. */
function taxels(value: MessageValue, fullScale: number): readonly Cube[] {
  const { rows, cols, pressure } = value;
  if (typeof rows !== 'number' || typeof cols !== 'number') return [];
  const pressures = Array.from((pressure ?? []) as ArrayLike<number>);
  return pressures.slice(0, rows * cols).map((each, index) => {
    const share = Math.max(0, Math.min(1, each / fullScale));
    const height = FULL_HEIGHT * (0.1 + 0.9 * share);
    const [row, column] = [Math.floor(index / cols), index % cols];
    return {
      position: {
        x: (column - (cols - 1) / 2) * PITCH,
        y: (row - (rows - 1) / 2) * PITCH,
        z: height / 2,
      },
      size: { x: PITCH * 0.9, y: PITCH * 0.9, z: height },
      color: heat(share),
    };
  });
}

/** Blue over green and yellow to red. */
function heat(share: number): Color {
  const channel = (middle: number) => Math.max(0, Math.min(1, 1.5 - Math.abs(4 * share - middle)));
  return { r: channel(3), g: channel(2), b: channel(1), a: 1 };
}

/** Looks at a few instants over the episode: what is red is as high as it gets, roughly. */
async function highestPressure(reader: EpisodeReader, topic: string): Promise<number> {
  const span = reader.endTime - reader.startTime;
  let highest = 0;
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const time = reader.startTime + (span * BigInt(sample)) / BigInt(SAMPLES);
    const message = (await reader.latestBefore(time, [topic])).get(topic);
    const pressure = message && createDecoder(message.channel)(message.data).pressure;
    for (const each of Array.from((pressure ?? []) as ArrayLike<number>)) highest = Math.max(highest, each);
  }
  return highest;
}

function frameOf(value: MessageValue): string {
  const { frame_id } = (value.header ?? {}) as { readonly frame_id?: string };
  return frame_id ?? '';
}
