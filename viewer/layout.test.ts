import { describe, expect, test } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { LAYOUT_FORMATS, layoutOf } from './layout.ts';
import { addedTopics, contractTopics, ELEMENT_NAMES, type LayoutTopic } from './layout-topics.ts';

const topic = (name: string, type: string, sample?: LayoutTopic['sample']): LayoutTopic => ({
  topic: name,
  type,
  sample,
  elementNames: [],
});

const ARM: readonly LayoutTopic[] = [
  topic('/camera/front', 'sensor_msgs/CompressedImage'),
  topic('/camera/wrist', 'sensor_msgs/Image'),
  topic('/joint_states', 'sensor_msgs/JointState', {
    name: ['shoulder', 'elbow'],
    position: new Float64Array(2),
  }),
  topic('/wrench', 'geometry_msgs/WrenchStamped'),
  topic('/tactile', 'kinescribe_msgs/TactileArray', { rows: 1, cols: 2, pressure: new Float32Array(2) }),
  topic('/camera/front/info', 'sensor_msgs/CameraInfo', { k: new Float64Array(9) }),
  topic('/robot_description', 'std_msgs/String'),
  topic('/tf_static', 'tf2_msgs/TFMessage', {
    transforms: [
      { header: { frame_id: 'base' }, child_frame_id: 'camera' },
      { header: { frame_id: 'world' }, child_frame_id: 'base' },
    ],
  }),
  topic('/phase', 'std_msgs/String'),
  topic('/diagnostics', 'diagnostic_msgs/DiagnosticArray'),
];

const spec = (name: string, names: readonly string[] = []) => ({
  messageEncoding: 'json',
  schema: { name, encoding: 'jsonschema', data: new Uint8Array() },
  metadata: new Map([[ELEMENT_NAMES, JSON.stringify(names)]]),
});

interface Lichtblick {
  readonly configById: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly layout?: unknown;
}
const lichtblick = (topics: readonly LayoutTopic[]) => layoutOf(topics, 'lichtblick') as Lichtblick;
const panels = (topics: readonly LayoutTopic[]) =>
  Object.entries(lichtblick(topics).configById).map(
    ([id, { lichtblickPanelTitle }]) => `${id.split('!')[0]} ${String(lichtblickPanelTitle)}`,
  );
const paths = (topics: readonly LayoutTopic[]) =>
  Object.values(lichtblick(topics).configById).flatMap((config) =>
    ((config.paths ?? []) as { value: string }[]).map(({ value }) => value),
  );

describe('layoutOf()', () => {
  test('chooses a panel for every kind of topic', () => {
    expect(panels(ARM)).toEqual([
      'Image /camera/front',
      'Image /camera/wrist',
      '3D Scene',
      'Plot /joint_states',
      'Plot /wrench: force',
      'Plot /wrench: torque',
      'Plot /tactile: pressure',
      'Parameters Replay',
      'StateTransitions States',
      'DiagnosticSummary /diagnostics',
    ]);
  });

  test('draws one line per joint, per axis and per array', () => {
    expect(paths(ARM)).toEqual([
      '/joint_states.position[0]',
      '/joint_states.position[1]',
      ...['x', 'y', 'z'].map((axis) => `/wrench.wrench.force.${axis}`),
      ...['x', 'y', 'z'].map((axis) => `/wrench.wrench.torque.${axis}`),
      '/tactile.pressure[:]',
      '/phase.data',
    ]);
  });

  test('sets what the policy sees apart, and shows labels as states and contacts in the scene', () => {
    const added = addedTopics([
      { topic: '/kinescribe/labels', ...spec('kinescribe.Label') },
      { topic: '/kinescribe/policy/observation/image', ...spec('sensor_msgs/msg/CompressedImage') },
      { topic: '/kinescribe/policy/action', ...spec('kinescribe.PolicyValue', ['x', 'y']) },
      { topic: '/kinescribe/contact/wrench', ...spec('foxglove.SceneUpdate') },
    ]);
    expect(panels(added)).toEqual([
      '3D Scene',
      'Image /kinescribe/policy/observation/image',
      'Plot /kinescribe/policy/action',
      'Parameters Replay',
      'StateTransitions States',
    ]);
    expect(paths(added)).toEqual([
      '/kinescribe/policy/action.value[0]',
      '/kinescribe/policy/action.value[1]',
      '/kinescribe/labels.active',
      '/kinescribe/labels.text',
    ]);
  });

  test('shows the robot in the frame that is nobody’s child, moved by its joints in Foxglove', () => {
    const scene = Object.values(lichtblick(ARM).configById).find(({ topics }) => {
      return topics && '/robot_description' in (topics as object);
    });
    expect(scene).toMatchObject({
      followTf: 'world',
      topics: { '/robot_description': { visible: true }, '/tf_static': { visible: true } },
      layers: { urdf: { controlMode: 'jointStates', jointStatesTopic: '/joint_states' } },
    });
  });

  test('refers in its tree to every panel once', () => {
    const { layout, configById } = lichtblick(ARM);
    const leaves = (node: unknown): unknown[] =>
      typeof node === 'object' && node !== null && 'first' in node && 'second' in node
        ? [...leaves(node.first), ...leaves(node.second)]
        : [node];
    expect(leaves(layout).sort()).toEqual(Object.keys(configById).sort());
  });

  test('writes the new format as a tree of splits', () => {
    const layout = layoutOf(ARM, 'foxglove');
    expect(layout).toMatchObject({ version: 1, content: { type: 'split', direction: 'column' } });
    const types = JSON.stringify(layout).match(/"panelType":"\w+"/g);
    expect(types).toContain('"panelType":"ThreeDee"');
    expect(types).toHaveLength(9);
  });

  test.each(LAYOUT_FORMATS)('shows raw messages in format %s when it knows no better', (format) => {
    expect(JSON.stringify(layoutOf([topic('/x', 'my_msgs/Thing')], format))).toContain('/x');
    expect(layoutOf([], format)).toBeTypeOf('object');
  });

  test('labels joints by the features of a contract before anything was recorded', () => {
    const { contract } = parseContract(
      `
kinescribe: 1
name: arm
robot: { model: test }
streams:
  joints: { topic: /joint_states, role: motion, type: sensor_msgs/msg/JointState, rateHz: 100 }
features:
  observation.state:
    { kind: vector, stream: joints, toleranceSecs: 0.1, field: "position[name=j1..j3]", shape: [3] }
samples: { tickRateHz: 10 }
episode: { tasks: [pick] }
`,
      'arm.yaml',
    );
    const [config] = Object.values(lichtblick(contractTopics(contract)).configById);
    expect(config?.paths).toMatchObject([{ label: 'j1' }, { label: 'j2' }, { label: 'j3' }]);
  });
});
