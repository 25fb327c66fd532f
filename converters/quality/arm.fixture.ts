import type { Calibration } from '../../schemas/calibration.ts';
import { parseContract } from '../../schemas/contract-file.ts';
import type { Finding } from '../../schemas/finding.ts';
import { currentLabels } from '../../schemas/labels.ts';
import type { MessageValue } from '../../schemas/message.ts';
import { EPOCH } from '../episode.fixture.ts';
import type { Check } from './check.ts';
import type { ContentLag, EpisodeFacts } from './episode-facts.ts';
import { Examination } from './examination.ts';
import type { Observation, Picture } from './observation.ts';
import { random } from './rig.fixture.ts';
import { checkedStream } from './stream-role.ts';
import type { CheckedStream } from './subject.ts';
import { ContentSeries } from './time/content-lag.ts';

/** An arm of two joints with a gripper, a force sensor, a skin and a camera, for tests of checks. */
export const ARM = parseContract(
  `kinescribe: 1
name: arm
robot: { model: arm, limits: { forceNewtons: 40 } }
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 100 }
  commands: { topic: /commands, role: command, type: sensor_msgs/msg/JointState, rateHz: 50 }
  wrench: { topic: /wrench, role: interaction, type: geometry_msgs/msg/WrenchStamped, rateHz: 200 }
  tactile: { topic: /tactile, role: interaction, type: kinescribe_msgs/msg/TactileArray, rateHz: 100 }
  tf: { topic: /tf, role: motion, type: tf2_msgs/msg/TFMessage, rateHz: 50 }
  camera: { topic: /camera/image, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30 }
  info: { topic: /camera/camera_info, role: context, type: sensor_msgs/msg/CameraInfo, rateHz: 30 }
  other: { topic: /other/image, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30 }
  description: { topic: /robot_description, role: context, type: std_msgs/msg/String }
features:
  action: { kind: vector, stream: commands, field: position, shape: [3], toleranceSecs: 0.1, actionSpace: abs_pos }
samples: { tickRateHz: 20 }
episode: { tasks: [pick up the cup] }
`,
  'arm.yaml',
).contract;

export const STREAMS: Readonly<Record<string, CheckedStream>> = Object.fromEntries(
  Object.entries(ARM.streams).map(([name, { topic, type }]) => [name, checkedStream(topic, type, ARM)]),
);

const URDF = `<robot name="arm">
  <joint name="a" type="revolute"><parent link="base"/><child link="upper"/><origin xyz="0 0 0.3"/><axis xyz="0 0 1"/>
    <limit lower="-2" upper="2" velocity="3" effort="9"/></joint>
  <joint name="b" type="revolute"><parent link="upper"/><child link="lower"/><origin xyz="0.4 0 0"/><axis xyz="0 0 1"/>
    <limit lower="-2" upper="2" velocity="3" effort="9"/></joint>
  <joint name="gripper" type="prismatic"><parent link="lower"/><child link="finger"/><axis xyz="0 1 0"/>
    <limit lower="0" upper="0.08" velocity="1" effort="9"/></joint>
</robot>`;

export const DURATION_SECS = 12;
/** When the gripper closes and opens, seconds. */
export const GRASP = { from: 4, to: 8 } as const;

export const CALIBRATION: Calibration = {
  kinescribe: 1,
  robot: 'arm',
  episodeDigest: `sha256:${'0'.repeat(64)}`,
  time: '2026-01-01T00:00:00Z',
  wrenches: {
    wrench: { noise: [0.08, 0.08, 0.08, 2e-3, 2e-3, 2e-3], r99: 0.3, rest: [0.1, 0, -8, 0, 0, 0] },
  },
  cameras: {},
  home: { joints: { a: -0.6, b: -0.3, gripper: 0.08 } },
  commandLagSecs: { commands: 0.05 },
};

/** One message as a check sees it, made by hand. */
export function observation(stream: string, secs: number, parts: Partial<Observation> = {}): Observation {
  const time = EPOCH + BigInt(Math.round(secs * 1e9));
  return {
    stream: STREAMS[stream]!,
    ...{ logTime: time, publishTime: time, sensorTime: time, sequence: 0, bytes: 100, fingerprint: 0 },
    ...{ value: undefined, fault: undefined, picture: undefined },
    ...parts,
  };
}

/** The same message with another content. */
export function withValue(each: Observation, change: (value: MessageValue) => MessageValue): Observation {
  return { ...each, value: change(each.value!) };
}

export function secsOf({ logTime }: Observation): number {
  return Number(logTime - EPOCH) / 1e9;
}

/** Where the arm is told to be: a rest, four movements to and fro with rests between, a rest. */
export function target(secs: number): readonly [number, number] {
  const moves = [1, 2.5, 5, 6.5, 9];
  const ends = [0.9, -0.2, 0.8, 0.1, -0.6];
  let q = -0.6;
  moves.forEach((from, i) => {
    const share = Math.min(1, Math.max(0, (secs - from) / 1.2));
    const before = ends[i - 1] ?? -0.6;
    if (share > 0) q = before + (ends[i]! - before) * share ** 3 * (10 - 15 * share + 6 * share ** 2);
  });
  return [q, q / 2];
}

/** Where the gripper is told to be, metres; it holds an object of 4 cm. */
export function aperture(secs: number): number {
  const closing = Math.min(1, Math.max(0, (secs - GRASP.from) / 0.4));
  const opening = Math.min(1, Math.max(0, (secs - GRASP.to) / 0.4));
  return 0.08 - 0.055 * (closing - opening);
}

/** What the arm sends when all is well, in order of arrival. */
export function cleanArm(seed: number, streams: readonly string[]): Observation[] {
  const next = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const taxels = Float64Array.from({ length: 16 }, () => 0.3 + next());
  return streams
    .flatMap((stream) => {
      const rateHz = ARM.streams[stream]!.rateHz;
      if (rateHz === undefined) return [observation(stream, 0, { value: { data: URDF } })];
      const phase = next() / rateHz;
      return Array.from({ length: Math.floor(DURATION_SECS * rateHz) }, (_, i) => {
        const secs = phase + (i + 0.02 * normal()) / rateHz;
        return observation(stream, secs, contentOf(stream, secs, { normal, taxels }));
      });
    })
    .sort((a, b) => Number(a.logTime - b.logTime));
}

interface Chance {
  readonly normal: () => number;
  readonly taxels: Float64Array;
}

function contentOf(stream: string, secs: number, { normal, taxels }: Chance): Partial<Observation> {
  const names = ['a', 'b', 'gripper'];
  const [a, b] = target(secs - 0.05);
  const width = Math.max(aperture(secs - 0.05), 0.04);
  const grip = width === 0.04 ? 6 : 0;
  switch (stream) {
    case 'joints': {
      const before = target(secs - 0.06);
      const position = [a, b].map((q) => Math.round((q + 1e-5 * normal()) / 2e-5) * 2e-5);
      const velocity = [(a - before[0]) / 0.01, (b - before[1]) / 0.01, 0].map((v) => v + 2e-3 * normal());
      const effort = [normal() * 0.03, normal() * 0.03, grip + normal() * 0.03];
      return { value: { name: names, position: [...position, width], velocity, effort } };
    }
    case 'commands':
      return {
        value: { name: names, position: [...target(secs), aperture(secs)], velocity: [], effort: [] },
      };
    case 'wrench': {
      const [x = 0, y = 0, z = 0] = [0.1, 0, -8].map((bias) => bias + 0.08 * normal());
      const [tx, ty, tz] = [0, 0, 0].map(() => 2e-3 * normal());
      return { value: wrenchValue([x, y, z], [tx!, ty!, tz!]) };
    }
    case 'tactile': {
      const press = grip / 16;
      const pressure = Float32Array.from(taxels, (share) => Math.max(0, press * share + 1.5e-3 * normal()));
      return { value: { rows: 4, cols: 4, pressure } };
    }
    case 'tf':
      return {
        value: {
          transforms: [turn('base', 'upper', [0, 0, 0.3], a), turn('upper', 'lower', [0.4, 0, 0], b)],
        },
      };
    default:
      return {};
  }
}

export function wrenchValue(force: readonly number[], torque: readonly number[] = [0, 0, 0]): MessageValue {
  const vector = ([x, y, z]: readonly number[]) => ({ x, y, z });
  return { header: { frame_id: 'lower' }, wrench: { force: vector(force), torque: vector(torque) } };
}

function turn(parent: string, child: string, [x, y, z]: readonly number[], angle: number) {
  return {
    header: { frame_id: parent },
    child_frame_id: child,
    transform: {
      translation: { x, y, z },
      rotation: { x: 0, y: 0, z: Math.sin(angle / 2), w: Math.cos(angle / 2) },
    },
  };
}

/** A picture of 96 × 72 with detail at all scales; the camera may be turned by pixels of 640. */
export function picture(
  noise: () => number,
  {
    shift = 0,
    scene = 0,
    change = (y: number) => y,
  }: { shift?: number; scene?: number; change?: (y: number) => number } = {},
): Picture {
  const [width, height] = [96, 72];
  const luma = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [(i % width) + (shift * width) / 640, Math.floor(i / width)];
    const detail =
      Math.sin(x * 0.9 + scene * y) * Math.cos(y * 0.7) + Math.sin(x * 0.21 + y * 0.13 * (1 + scene));
    const stripes = Math.sin(x * 0.05 - y * 0.4 + scene) + Math.cos(x * x * 0.011 + y * y * 0.007);
    return Math.max(0, Math.min(255, change(128 + 26 * (detail + stripes)) + 2 * noise()));
  });
  return { width: 640, height: 480, encoding: 'jpeg', luma, lumaWidth: width, lumaHeight: height };
}

/** Looks at observations with some checks as if an episode had been recorded. */
export function judge(
  checks: readonly Check[],
  take: readonly Observation[],
  { calibration = CALIBRATION }: { readonly calibration?: Calibration | undefined } = {},
): readonly Finding[] {
  const subject = {
    ...{ contract: ARM, calibration, startTime: EPOCH, events: [], task: 'pick up the cup' },
    streams: [...new Set(take.map(({ stream }) => stream))],
  };
  const examination = new Examination(checks, subject);
  for (const each of take) examination.observe(each);
  const content = checks.some(({ id }) => id === 'T15' || id === 'V08') ? contentSeen(take) : undefined;
  return examination.findings(EPOCH + BigInt(DURATION_SECS * 1e9), { ...FACTS, content });
}

/** As if every picture of the take had been looked at. */
function contentSeen(take: readonly Observation[]): readonly ContentLag[] {
  const series = new ContentSeries(ARM);
  for (const each of take) series.observe(each);
  return series.lags();
}

const FACTS: EpisodeFacts = {
  ...{ file: 'take.mcap', info: undefined, ledger: { totals: [], losses: [] }, labels: currentLabels([]) },
  ...{ damages: [], frames: undefined, noFrames: undefined, content: undefined, peers: [] },
};
