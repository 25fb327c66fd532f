import type { Check, Judgement } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { type Block, Blocks } from './blocks.ts';
import { isGripper, jointsOf } from './joints.ts';
import { perRobotStream } from './per-robot.ts';
import type { RobotDescription } from './robot-description.ts';
import { type ChannelValue, worstOf } from './worst.ts';

/** What has been seen of a stream, all joints together. */
export interface Seen {
  messages: number;
  /** Of the stretches without gaps. */
  samples: number;
  secs: number;
}

/** The part of a check that looks at one joint: message by message, or stretch by stretch. */
export interface JointTrack {
  add?(position: number, observation: Observation): void;
  column?(positions: Float64Array, block: Block): void;
  result(seen: Seen & { readonly isSwitch: boolean }): Omit<ChannelValue, 'channel'>;
}

export interface JointCheck {
  readonly of: (stream: CheckedStream) => boolean;
  /** Asked anew while undefined: what the robot says of a joint may come late. */
  readonly begin: (joint: string, robot: RobotDescription) => JointTrack | undefined;
  /** Says the worst joint in words. */
  readonly say: (worst: ChannelValue) => string;
  /** Said of the stream as a whole when every joint's value is 0. @default what `say` says of one */
  readonly well?: string;
  /** Why no joint can be judged. @default nothing is said */
  readonly missing?: string;
  /** Fingers are looked at too. @default false */
  readonly grippers?: boolean;
  /** So are joints that only know two positions, whose way is a jump by nature (catalogue, b0). @default false */
  readonly switches?: boolean;
  /** It speaks while recording. @default false */
  readonly live?: boolean;
  /** Stretches are gathered for `column`, from this length on, seconds. @default none are */
  readonly stretchSecs?: number;
}

/** Of each joint whether it knows one position, two or more. */
class Positions {
  readonly #seen = new Map<string, Set<number>>();

  add(joint: string, position: number): void {
    const seen = entryOf(this.#seen, joint, () => new Set());
    if (seen.size <= 2) seen.add(position);
  }

  isSwitch(joint: string): boolean {
    return this.#seen.get(joint)?.size === 2;
  }
}

/** A check of every joint for itself; it tells of the worst one. */
export function perJoint(options: JointCheck): Check['watch'] {
  const {
    of,
    begin,
    say,
    well,
    missing,
    grippers = false,
    live = false,
    switches = false,
    stretchSecs,
  } = options;
  const concerns = (joint: string) => grippers || !isGripper(joint);
  return perRobotStream(of, (_stream, robot) => {
    const tracks = new Map<string, JointTrack>();
    const positions = new Positions();
    const seen: Seen = { messages: 0, samples: 0, secs: 0 };
    let names: readonly string[] = [];
    const trackOf = (joint: string) => {
      const track = concerns(joint) ? (tracks.get(joint) ?? begin(joint, robot)) : undefined;
      if (track) tracks.set(joint, track);
      return track;
    };
    const blocks =
      stretchSecs === undefined
        ? undefined
        : new Blocks({
            minSecs: stretchSecs,
            use(block) {
              seen.samples += block.secs.length;
              seen.secs += block.secs.at(-1)!;
              for (const [i, column] of block.columns.entries()) trackOf(names[i]!)?.column?.(column, block);
            },
          });
    return {
      observe(observation) {
        const joints = jointsOf(observation);
        names = joints?.names ?? names;
        if (!joints?.names.some(concerns)) return;
        seen.messages++;
        for (const [i, joint] of names.entries()) positions.add(joint, joints.positions[i]!);
        if (blocks) blocks.add(observation, joints.positions);
        else
          joints.names.forEach((joint, i) => void trackOf(joint)?.add?.(joints.positions[i]!, observation));
      },
      *findings(_now, facts): Generator<Judgement> {
        if ((!facts && !live) || (!names.some(concerns) && !grippers)) return;
        blocks?.flush();
        const judged = [...tracks].filter(([joint]) => switches || !positions.isSwitch(joint));
        if (judged.length === 0 && tracks.size > 0) {
          if (facts) yield { status: 'not_assessed', reason: 'its joints are switches of two positions' };
          return;
        }
        const values = judged.map(([channel, track]) => {
          return { channel, ...track.result({ ...seen, isSwitch: positions.isSwitch(channel) }) };
        });
        const worst = worstOf(well === undefined ? values : values.filter(({ value }) => value > 0));
        if (worst) yield { ...worst, reason: say(worst) };
        else if (values.length > 0 && well !== undefined) {
          yield { value: 0, evidence: { samples: seen.messages, bounded: values.length }, reason: well };
        } else if (facts && missing !== undefined) yield { status: 'not_assessed', reason: missing };
      },
    };
  });
}
