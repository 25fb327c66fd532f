import type { Check, Judgement } from '../check.ts';
import type { CheckedStream } from '../subject.ts';

interface Edge {
  readonly parents: Set<string>;
  readonly streams: Set<CheckedStream>;
}

/** C12: the frames of a robot form trees. */
export const TRANSFORM_TREE_CHECK: Check = {
  id: 'C12',
  title: 'transform tree',
  claim: 'DEFECT',
  runs: 'take',
  unit: '',
  explain: {
    cause: 'Two nodes publish the place of the same frame, or a frame is placed in its own child.',
    formula: 'A frame with two parents, or a circle, fails; a frame on /tf and on /tf_static warns.',
    remedy: 'Find both publishers with "ros2 run tf2_tools view_frames"; keep one.',
    example: 'tf: frame "tool0" has the parents "wrist_3" and "flange"',
    source: 'REP 105; deepen-grade',
  },
  watch: () => {
    const edges = new Map<string, Edge>();
    return {
      wants: ({ type }) => /\/TFMessage$/.test(type),
      observe({ stream, value }) {
        for (const { child_frame_id: child, header } of transformsOf(value?.transforms)) {
          const edge = edges.get(child) ?? { parents: new Set(), streams: new Set() };
          edges.set(child, edge);
          edge.parents.add(header.frame_id);
          edge.streams.add(stream);
        }
      },
      *findings(_, facts): Generator<Judgement> {
        if (!facts || edges.size === 0) return;
        let isSound = true;
        for (const [child, { parents, streams }] of edges) {
          const [stream] = streams;
          const names = [...parents].map((name) => `"${name}"`);
          if (names.length > 1) {
            isSound = false;
            const reason = `frame "${child}" has the parents ${names.join(' and ')}`;
            yield { status: 'fail', stream, channel: child, reason };
          } else if (isInCircle(child, edges)) {
            isSound = false;
            yield {
              status: 'fail',
              stream,
              channel: child,
              reason: `frame "${child}" lies in itself, in a circle`,
            };
          } else if (new Set([...streams].map(({ topic }) => topic)).size > 1) {
            isSound = false;
            const reason = `frame "${child}" is sent on ${[...streams].map(({ topic }) => topic).join(' and ')}`;
            yield { status: 'warn', stream, channel: child, reason };
          }
        }
        if (isSound)
          yield {
            status: 'pass',
            evidence: { frames: edges.size },
            reason: `${edges.size} frames form trees`,
          };
      },
    };
  },
};

function isInCircle(start: string, edges: ReadonlyMap<string, Edge>): boolean {
  const seen = new Set<string>();
  for (let frame: string | undefined = start; frame !== undefined; ) {
    if (seen.has(frame)) return frame === start;
    seen.add(frame);
    [frame] = edges.get(frame)?.parents ?? [];
  }
  return false;
}

export interface PlacedFrame {
  readonly child_frame_id: string;
  readonly header: { readonly frame_id: string };
  readonly transform?: {
    readonly translation?: Readonly<Record<'x' | 'y' | 'z', number>>;
    readonly rotation?: Readonly<Record<'x' | 'y' | 'z' | 'w', number>>;
  };
}

export function transformsOf(transforms: unknown): readonly PlacedFrame[] {
  return Array.isArray(transforms) ? transforms : [];
}
