import type { LayoutTopic } from './layout-topics.ts';
import { plotsOf } from './plots.ts';

/** Each kind of panel under its name in Foxglove's new format (Layout API 0.50). */
export const FOXGLOVE_PANELS = {
  Image: 'Image',
  Plot: 'Plot',
  '3D': 'ThreeDee',
  StateTransitions: 'StateTransitions',
  DiagnosticSummary: 'DiagnosticsSummary',
  RosOut: 'Log',
  RawMessages: 'RawMessages',
  Parameters: 'Parameters',
} as const;

/** One panel; its kind is the name that Lichtblick gives it. */
export interface Panel {
  readonly kind: keyof typeof FOXGLOVE_PANELS;
  readonly title: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Panels by what they show, in the order of the topics. */
export interface LayoutPanels {
  readonly images: readonly Panel[];
  readonly scene: Panel | undefined;
  readonly plots: readonly Panel[];
  readonly states: readonly Panel[];
  /** What the policy sees of it all: pictures, then numbers. */
  readonly policy: readonly Panel[];
}

/** Chooses and configures the panels for an episode's or a contract's topics. */
export function layoutPanels(all: readonly LayoutTopic[]): LayoutPanels {
  const topics = all.filter(({ topic }) => !topic.startsWith(POLICY));
  const seen = all.filter(({ topic }) => topic.startsWith(POLICY));
  const policy = [
    ...seen.filter(({ type }) => IMAGES.test(type)).map(image),
    ...seen.flatMap(plotPanels).slice(0, MAX_POLICY_PLOTS),
  ];
  const transitions = topics.filter(
    ({ type, topic }) => (STATES.test(type) || type in STATE_FIELDS) && topic !== ROBOT_DESCRIPTION,
  );
  const states: Panel[] = [];
  if (transitions.length > 0) states.push(stateTransitions(transitions));
  for (const { topic, type } of topics) {
    if (type === 'diagnostic_msgs/DiagnosticArray') {
      states.push({ kind: 'DiagnosticSummary', title: topic, config: { topicToRender: topic } });
    }
    if (/(^|[./])Log$/.test(type))
      states.push({ kind: 'RosOut', title: topic, config: { topicToRender: topic } });
  }
  const images = topics.filter(({ type }) => IMAGES.test(type)).map(image);
  const plots = topics.flatMap(plotPanels);
  const scene = sceneOf(topics);
  const shown = images.length + plots.length + states.length + policy.length + (scene ? 1 : 0);
  const [first] = topics;
  if (shown === 0 && first)
    states.push({ kind: 'RawMessages', title: first.topic, config: { topicPath: first.topic } });
  return { images, scene, plots, states, policy };
}

const IMAGES = /(^|[./])(Image|CompressedImage|RawImage|CompressedVideo)$/;
const STATES = /^std_msgs\/(Bool|String|U?Int\d+)$/;
/** Types that are not a single value, and which of their fields are states. */
const STATE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'kinescribe.Label': ['active', 'text'],
  'kinescribe.Recording': ['state'],
};
const POLICY = '/kinescribe/policy/';
/** More would be too low to read. */
const MAX_POLICY_PLOTS = 4;
const ROBOT_DESCRIPTION = '/robot_description';

function image({ topic }: LayoutTopic): Panel {
  return {
    kind: 'Image',
    title: topic,
    config: {
      imageMode: { imageTopic: topic },
      cameraState: {},
      followMode: 'follow-none',
      scene: {},
      transforms: {},
      topics: {},
      layers: {},
      publish: {},
    },
  };
}

function plotPanels(described: LayoutTopic): readonly Panel[] {
  const { topic } = described;
  return plotsOf(described).map(({ part, xAxis, lines }) => ({
    kind: 'Plot',
    title: part ? `${topic}: ${part}` : topic,
    config: {
      paths: lines.map(({ path, label }) => ({
        value: `${topic}.${path}`,
        label,
        enabled: true,
        timestampMethod: 'receiveTime',
      })),
      xAxisVal: xAxis === 'time' ? 'timestamp' : 'index',
      isSynced: true,
      showLegend: true,
      // Floating over a low plot it would hide the lines.
      legendDisplay: 'left',
      showPlotValuesInLegend: true,
      showXAxisLabels: true,
      showYAxisLabels: true,
      sidebarDimension: 150,
    },
  }));
}

/** The playback as parameters to see and to set, for an application without a bar for live connections. */
export const REPLAY_CONTROLS: Panel = { kind: 'Parameters', title: 'Replay', config: {} };

function stateTransitions(topics: readonly LayoutTopic[]): Panel {
  const paths = topics.flatMap(({ topic, type }) =>
    (STATE_FIELDS[type] ?? ['data']).map((field) => ({
      value: `${topic}.${field}`,
      label: field === 'data' ? topic : `${topic} ${field}`,
      timestampMethod: 'receiveTime',
    })),
  );
  return { kind: 'StateTransitions', title: 'States', config: { paths, isSynced: true } };
}

const IN_SCENE =
  /(^|[./])(TFMessage|FrameTransforms?|SceneUpdate|MarkerArray|Marker|PointCloud2?|Grid|PoseStamped|LaserScan)$/;

function sceneOf(topics: readonly LayoutTopic[]): Panel | undefined {
  const description = topics.find(({ topic }) => topic === ROBOT_DESCRIPTION);
  const shown = topics.filter(({ type }) => IN_SCENE.test(type));
  if (!description && shown.length === 0) return undefined;
  const joints = topics.find(({ type }) => type.endsWith('/JointState'));
  return {
    kind: '3D',
    title: 'Scene',
    config: {
      followMode: 'follow-none',
      ...(rootFrame(topics) && { followTf: rootFrame(topics) }),
      // Names of frames at their default size cover a small arm.
      scene: { transforms: { showLabel: false, axisScale: 0.3 } },
      cameraState: { perspective: true, distance: 2.2, phi: 60, thetaOffset: 45, targetOffset: [0, 0, 0.2] },
      topics: Object.fromEntries(
        [...shown, ...(description ? [description] : [])].map(({ topic }) => [topic, { visible: true }]),
      ),
      layers: {
        grid: { layerId: 'foxglove.Grid', instanceId: 'grid', visible: true, size: 2, divisions: 8 },
        ...(description &&
          joints && {
            urdf: {
              layerId: 'foxglove.Urdf',
              instanceId: 'urdf',
              // Foxglove moves the robot by its joints; Lichtblick by the frames, through the topic above.
              visible: false,
              sourceType: 'topic',
              topic: ROBOT_DESCRIPTION,
              controlMode: 'jointStates',
              jointStatesTopic: joints.topic,
            },
          }),
      },
    },
  };
}

/** The frame that is nobody's child. */
function rootFrame(topics: readonly LayoutTopic[]): string | undefined {
  const edges = topics.flatMap(({ sample }) => {
    const { transforms } = (sample ?? {}) as { transforms?: unknown };
    return Array.isArray(transforms) ? (transforms as TransformLike[]) : [];
  });
  const children = new Set(edges.map(({ child_frame_id }) => child_frame_id));
  return edges.find(({ header }) => header && !children.has(header.frame_id))?.header?.frame_id;
}

interface TransformLike {
  readonly header?: { readonly frame_id?: string };
  readonly child_frame_id?: string;
}
