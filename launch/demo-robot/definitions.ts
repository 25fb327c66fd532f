import type { MessageSchema } from '../../schemas/message.ts';

/**
 * The ROS 2 interfaces that the robot speaks, without their comments; the fields are those of the ROS
 * packages common_interfaces, geometry2 and of schemas/msg.
 */
const INTERFACES: Readonly<Record<string, string>> = {
  'builtin_interfaces/Time': 'int32 sec\nuint32 nanosec',
  'std_msgs/Header': 'builtin_interfaces/Time stamp\nstring frame_id',
  'std_msgs/String': 'string data',
  'geometry_msgs/Vector3': 'float64 x\nfloat64 y\nfloat64 z',
  'geometry_msgs/Quaternion': 'float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1',
  'geometry_msgs/Wrench': 'Vector3 force\nVector3 torque',
  'geometry_msgs/WrenchStamped': 'std_msgs/Header header\nWrench wrench',
  'geometry_msgs/Transform': 'Vector3 translation\nQuaternion rotation',
  'geometry_msgs/TransformStamped': 'std_msgs/Header header\nstring child_frame_id\nTransform transform',
  'tf2_msgs/TFMessage': 'geometry_msgs/TransformStamped[] transforms',
  'sensor_msgs/JointState': `std_msgs/Header header
string[] name
float64[] position
float64[] velocity
float64[] effort`,
  'sensor_msgs/CompressedImage': 'std_msgs/Header header\nstring format\nuint8[] data',
  'sensor_msgs/Image': `std_msgs/Header header
uint32 height
uint32 width
string encoding
uint8 is_bigendian
uint32 step
uint8[] data`,
  'sensor_msgs/RegionOfInterest':
    'uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify',
  'sensor_msgs/CameraInfo': `std_msgs/Header header
uint32 height
uint32 width
string distortion_model
float64[] d
float64[9] k
float64[9] r
float64[12] p
uint32 binning_x
uint32 binning_y
RegionOfInterest roi`,
  'diagnostic_msgs/KeyValue': 'string key\nstring value',
  'diagnostic_msgs/DiagnosticStatus': `byte OK=0
byte WARN=1
byte ERROR=2
byte STALE=3
byte level
string name
string message
string hardware_id
KeyValue[] values`,
  'diagnostic_msgs/DiagnosticArray': 'std_msgs/Header header\nDiagnosticStatus[] status',
  'kinescribe_msgs/TactileArray': 'std_msgs/Header header\nuint32 rows\nuint32 cols\nfloat32[] pressure',
};

const SEPARATOR = '='.repeat(80);

/**
 * A type's definition with all its dependencies, as rosbag2 stores it.
 *
 * @param name `sensor_msgs/msg/JointState`; one of the robot's own.
 */
export function messageSchema(name: string): MessageSchema {
  const [root, ...dependencies] = withDependencies(name.replace('/msg/', '/'));
  const text = [
    INTERFACES[root!]!,
    ...dependencies.map((each) => `${SEPARATOR}\nMSG: ${each}\n${INTERFACES[each]!}`),
  ].join('\n');
  return { name, encoding: 'ros2msg', data: new TextEncoder().encode(text) };
}

/** The type and what it is made of, each once, in the order of first use. */
function withDependencies(name: string, found: Set<string> = new Set()): Set<string> {
  const text = INTERFACES[name];
  if (text === undefined) throw new RangeError(`The simulated robot has no interface "${name}"`);
  found.add(name);
  for (const [, type] of text.matchAll(/^([\w/]+)/gm)) {
    const own = `${name.split('/')[0]}/${type}`;
    const dependency = [type!, own].find((each) => each in INTERFACES);
    if (dependency && !found.has(dependency)) withDependencies(dependency, found);
  }
  return found;
}
