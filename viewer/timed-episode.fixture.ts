import { EPISODE_RECORD, LEDGER_RECORD } from '../schemas/episode.ts';
import type { EpisodeWriter } from '../schemas/episode-writer.ts';
import { encodeJpeg } from '../schemas/image-codec.ts';
import { encodeLedger } from '../schemas/ledger.ts';
import type { MessageSchema } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import { nanosToStamp } from '../schemas/time.ts';
import { every, type FixtureTopic, latchedMetadata, MILLI, START } from './episode.fixture.ts';

/** A second of a robot whose pictures and joint carry their own time, with a fifth of a second missing. */
export const PERIOD_MILLIS = 33;
export const GREY_STEP = 8;
export const LOST = { from: 400, to: 600 };

const HEADER = `${'='.repeat(80)}
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
${'='.repeat(80)}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
`;
const schemaOf = (name: string, fields: string): MessageSchema => ({
  name,
  encoding: 'ros2msg',
  data: Buffer.from(`std_msgs/Header header\n${fields}\n${HEADER}`),
});
const IMAGE = schemaOf('sensor_msgs/msg/CompressedImage', 'string format\nuint8[] data');
const JOINTS = schemaOf(
  'sensor_msgs/msg/JointState',
  'string[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort',
);
const TACTILE = schemaOf('kinescribe_msgs/msg/TactileArray', 'uint32 rows\nuint32 cols\nfloat32[] pressure');

const TEXT: MessageSchema = {
  name: 'std_msgs/msg/String',
  encoding: 'ros2msg',
  data: Buffer.from('string data\n'),
};
const IDL_NUMBER: MessageSchema = {
  name: 'std_msgs/msg/Float64',
  encoding: 'ros2idl',
  data: Buffer.from(
    `${'='.repeat(80)}\nIDL: std_msgs/msg/Float64\nmodule std_msgs { module msg { struct Float64 { double data; }; }; };\n`,
  ),
};
/** An arm that its one joint turns. */
const URDF = `<robot name="arm">
  <link name="base"/>
  <link name="arm"><visual><origin xyz="0.3 0 0"/><geometry><box size="0.6 0.1 0.1"/></geometry></visual></link>
  <joint name="elbow" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="0 0 1"/>
    <limit lower="-3" upper="3" effort="1" velocity="1"/></joint>
</robot>`;

type TimedEpisode = readonly [
  topics: Readonly<Record<string, FixtureTopic>>,
  finish: (writer: EpisodeWriter) => Promise<void>,
];

/** What to write: its topics, and what is said of it. */
export async function timedEpisode({
  id = 'arm-0001',
  task = 'lift the cube',
  operator = 'a',
} = {}): Promise<TimedEpisode> {
  const encode = {
    image: createEncoder('/camera', IMAGE),
    joints: createEncoder('/joints', JOINTS),
    tactile: createEncoder('/tactile', TACTILE),
    number: createEncoder('/warmth', IDL_NUMBER),
    text: createEncoder('/robot_description', TEXT),
  };
  const headerAt = (millis: number) => ({
    stamp: nanosToStamp(START + BigInt(millis) * MILLI),
    frame_id: 'arm',
  });
  const isThere = (millis: number) => millis < LOST.from || millis >= LOST.to;
  const cameraMillis = every(PERIOD_MILLIS, 0, 990).filter(isThere);
  const pictures = await Promise.all(
    cameraMillis.map((millis) => {
      const pixels = new Uint8Array(16 * 16 * 3).fill((millis / PERIOD_MILLIS) * GREY_STEP);
      return encodeJpeg({ width: 16, height: 16, pixels });
    }),
  );
  const jointMillis = every(10, 0, 1000).filter(isThere);
  const tactileMillis = every(10, 0, 1000);
  return [
    {
      '/camera': {
        atMillis: cameraMillis,
        messageEncoding: 'cdr',
        schema: IMAGE,
        payload: (n) =>
          encode.image({ header: headerAt(cameraMillis[n]!), format: 'jpeg', data: pictures[n] }),
      },
      '/robot_description': {
        atMillis: [0],
        messageEncoding: 'cdr',
        schema: TEXT,
        metadata: latchedMetadata(1),
        payload: () => encode.text({ data: URDF }),
      },
      '/joints': {
        atMillis: jointMillis,
        messageEncoding: 'cdr',
        schema: JOINTS,
        payload: (n) =>
          encode.joints({
            header: headerAt(jointMillis[n]!),
            name: ['elbow'],
            position: [jointMillis[n]! / 1000],
            velocity: [],
            effort: [],
          }),
      },
      '/warmth': {
        atMillis: jointMillis,
        messageEncoding: 'cdr',
        schema: IDL_NUMBER,
        payload: (n) => encode.number({ data: jointMillis[n]! / 10 }),
      },
      '/wire': { atMillis: [0, 1, 2], messageEncoding: 'protobuf' },
      '/tactile': {
        atMillis: tactileMillis,
        messageEncoding: 'cdr',
        schema: TACTILE,
        payload: (n) =>
          encode.tactile({
            header: headerAt(tactileMillis[n]!),
            rows: 1,
            cols: 2,
            pressure: [tactileMillis[n]! / 1000, 0],
          }),
      },
    },
    async (writer) => {
      const loss = {
        topic: '/joints',
        cause: 'gap' as const,
        messages: 20,
        startTime: START + BigInt(LOST.from) * MILLI,
        endTime: START + BigInt(LOST.to) * MILLI,
      };
      await writer.addMetadata(
        LEDGER_RECORD,
        new Map([['ledger', encodeLedger({ totals: [], losses: [loss] })]]),
      );
      const info = {
        id,
        contract: 'arm',
        contractDigest: `sha256:${'0'.repeat(64)}`,
        robot: 'arm',
      };
      const take = { task, operator, source: 'demo', recorderVersion: '0' };
      const clocks = { startTime: String(START), clockSystemTime: '0', clockMonotonicNanos: '0' };
      await writer.addMetadata(EPISODE_RECORD, new Map(Object.entries({ ...info, ...take, ...clocks })));
    },
  ];
}
