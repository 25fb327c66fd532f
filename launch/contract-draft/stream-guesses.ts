import type { StreamRole } from '../../schemas/contract.ts';

/** A role and what it was guessed from. */
export interface RoleGuess {
  readonly role: StreamRole;
  readonly by: 'its type' | 'its name';
}

/** Words stand between slashes, underscores, or the ends of a name. */
const words = (list: string) => new RegExp(`(^|[/_])(${list})(?=[/_\\d]|$)`, 'i');

const COMMAND_WORDS = words(
  'cmd|command|commands|commanded|target|targets|desired|goal|goals|setpoint|action|actions|leader|master|teleop|gello',
);
const TOUCH_WORDS = words(
  'wrench|force|torque|ft|tactile|touch|contact|contacts|load_cell|loadcell|gelsight|digit|skin',
);
const MOTION_WORDS = words(
  'joint|joints|joint_states?|servo|encoder|encoders|motor|motors|gripper|imu|odom|odometry|pose|twist|velocity|position|state_estimate',
);

/** The first line that fits decides; `type` is the name without its package. */
const RULES: readonly { readonly role: StreamRole; readonly type?: RegExp; readonly topic?: RegExp }[] = [
  {
    role: 'context',
    type: /^(CameraInfo|DiagnosticArray|Log|ParameterEvent|Clock|String|BatteryState|TFMessage|FrameTransforms?)$/,
  },
  { role: 'interaction', type: /Image$/, topic: words('tactile|gelsight|digit') },
  { role: 'perception', type: /Image$|^CompressedVideo$|^(Compressed)?PointCloud2?$|LaserScan$/ },
  {
    role: 'command',
    type: /^(JointTrajectory|Joy|JointJog|GripperCommand|AckermannDrive(Stamped)?|.*(Command|Cmd|Setpoint))$/,
  },
  { role: 'command', topic: COMMAND_WORDS },
  { role: 'interaction', type: /Wrench|Force|Torque|Tactile|Contact|LoadCell|Touch/ },
  { role: 'interaction', topic: TOUCH_WORDS },
  {
    role: 'motion',
    type: /JointStates?$|^Imu$|^Odometry$|^(Pose|Twist|Accel|Transform)(InFrame|With\w+)?(Stamped)?$/,
  },
  { role: 'motion', topic: MOTION_WORDS },
];

/** Guesses what a stream is from its type and its name. */
export function guessRole(topic: string, type: string): RoleGuess | undefined {
  const shortType = type.replace(/^.*[/.]/, '');
  const rule = RULES.find(
    (each) => (each.type?.test(shortType) ?? true) && (each.topic?.test(topic) ?? true),
  );
  return rule && { role: rule.role, by: rule.topic ? 'its name' : 'its type' };
}

/** Topics of ROS itself: no robot's streams. */
const HOUSEKEEPING =
  /^\/(rosout|parameter_events|clock|client_count|connected_clients|events\/write_split)$|\/_|\/bond$/;

/** Why a topic has no place in a contract, or undefined where it has one. */
export function reasonToLeaveOut(topic: string, type: string): string | undefined {
  if (HOUSEKEEPING.test(topic)) return 'housekeeping of ROS';
  if (!topic.startsWith('/')) return 'a contract names topics that begin with "/"';
  if (!/^\w+\/(msg\/)?\w+$|^[\w.]+$/.test(type)) return `type "${type}" is not written as a contract has it`;
  return undefined;
}

/** Parts of a topic that say nothing of what it shows. */
const GENERIC = new Set([
  'image',
  'image_raw',
  'image_rect',
  'image_color',
  'image_rect_color',
  'color',
  'rgb',
  'raw',
  'compressed',
  'data',
]);
const CAMERA = /^cameras?$/;
const IN_CAMERA = /^cameras?(_info)?$/;

/** Names for streams by their topics: short, valid in a contract, each once. */
export function streamNames(topics: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const topic of topics) {
    const parts = topic.split('/').filter((part) => part !== '');
    const telling = parts.filter((part) => !GENERIC.has(part));
    const short = telling
      .filter((part) => !CAMERA.test(part))
      .map((part) =>
        part === 'camera_info' && telling.some((other) => !IN_CAMERA.test(other)) ? 'info' : part,
      );
    const own = [short, telling, parts].find(({ length }) => length > 0) ?? [];
    const name = own
      .join('_')
      .replace(/\W/g, '_')
      .replace(/^(?![A-Za-z])/, 's');
    let free = name;
    for (let count = 2; taken.has(free); count++) free = `${name}_${count}`;
    taken.add(free);
    names.set(topic, free);
  }
  return names;
}
