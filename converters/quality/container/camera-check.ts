import { nanosToSecs } from '../../../schemas/time.ts';
import type { Check, Judgement } from '../check.ts';
import { isPictureType } from '../stream-role.ts';
import type { CheckedStream } from '../subject.ts';
import { Placement } from './placement.ts';

const SECS_PER_DAY = 86_400;

interface Camera {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly frame: string;
}

/** C11: what a camera sees can be said in metres, and in the frame of the robot. */
export const CAMERA_CHECK: Check = {
  id: 'C11',
  title: 'camera calibration',
  claim: 'DEFECT',
  runs: 'take',
  unit: '',
  explain: {
    cause:
      'The camera driver publishes an empty CameraInfo, or none at all; nobody measured where the camera stands.',
    formula:
      'K of CameraInfo: fx, fy > 0 and K not the identity. Its frame is placed beside those of a robot that moves, and ' +
      'not where their root is: transforms that all are the identity, or a rotation of length 0, fail. A camera without ' +
      'CameraInfo or without a place is only told; so is the age of the rig’s calibration.',
    remedy:
      'Calibrate the camera and give its driver the file (camera_info_url); publish where it stands on /tf_static.',
    example: 'front_info: its camera matrix is empty: fx 0, fy 0',
    source: 'deepen-grade',
  },
  watch: ({ calibration, startTime }) => {
    const infos = new Map<CheckedStream, Camera>();
    const cameras = new Set<CheckedStream>();
    const placement = new Placement();
    return {
      wants: ({ type }) => isPictureType(type) || /\/(CameraInfo|TFMessage)$/.test(type),
      observe({ stream, value }) {
        if (isPictureType(stream.type)) cameras.add(stream);
        else if (stream.type.endsWith('/TFMessage')) placement.add(value?.transforms);
        else if (value && !infos.has(stream)) {
          const k = (value.k ?? value.K) as ArrayLike<number> | undefined;
          const { frame_id: frame } = (value.header ?? {}) as { readonly frame_id?: unknown };
          infos.set(stream, {
            fx: k?.[0] ?? 0,
            fy: k?.[4] ?? 0,
            cx: k?.[2] ?? 0,
            frame: String(frame ?? ''),
          });
        }
      },
      *findings(_, facts): Generator<Judgement> {
        if (!facts) return;
        const ageDays =
          calibration &&
          nanosToSecs(startTime - BigInt(Date.parse(calibration.time)) * 1_000_000n) / SECS_PER_DAY;
        for (const [stream, camera] of infos) {
          const { evidence, ...judgement } = judged(camera, placement);
          const age = ageDays !== undefined && { calibrationAgeDays: Number(ageDays.toFixed(1)) };
          yield { stream, ...judgement, evidence: { ...evidence, ...age } };
        }
        if (cameras.size > infos.size) {
          const missing = cameras.size - infos.size;
          yield { status: 'info', reason: `${missing} of ${cameras.size} cameras have no CameraInfo` };
        }
      },
    };
  },
};

function judged({ fx, fy, cx, frame }: Camera, placement: Placement): Judgement {
  const evidence = { fx, fy, frame };
  if (!(fx > 0 && fy > 0)) {
    return { status: 'fail', evidence, reason: `its camera matrix is empty: fx ${fx}, fy ${fy}` };
  }
  if (fx === 1 && fy === 1 && cx === 0) {
    return { status: 'fail', evidence, reason: 'its camera matrix is the identity' };
  }
  const intrinsics = `fx ${fx.toFixed(1)}, fy ${fy.toFixed(1)} pixels`;
  const place = placement.of(frame);
  switch (place) {
    case 'placed':
      return { status: 'pass', evidence, reason: intrinsics };
    case 'unknown':
      return {
        status: 'info',
        evidence,
        reason: `${intrinsics}; no transforms place its frame "${frame}" beside the robot`,
      };
    case 'identity':
      return {
        status: 'fail',
        evidence,
        reason: `its frame "${frame}" lies where the root of all frames is`,
      };
    case 'zero':
      return { status: 'fail', evidence, reason: `its frame "${frame}" is placed by a rotation of length 0` };
    default:
      return place satisfies never;
  }
}
