import type { SourceMessage } from '../../recorder/source.ts';
import type { MessageValue } from '../../schemas/message.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { Camera, type CameraName } from './cameras.ts';
import { messageSchema } from './definitions.ts';
import { diagnostics } from './diagnostics.ts';
import { isPictureFault } from './faults.ts';
import { MessageFaults } from './message-faults.ts';
import { JOINTS } from './robot-model.ts';
import { gripperCommand, jointCommand, Sensors, type StuckJoint } from './sensors.ts';
import { type State, stateAt } from './state.ts';
import { type Sample, StreamClock } from './stream-clock.ts';
import { STREAMS, TOPICS, type Topic } from './streams.ts';
import { fixedTransforms, movingTransforms } from './transforms.ts';
import type { DemoTruth } from './truth.ts';
import { createUrdf } from './urdf.ts';
import { type Step, World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

/** The messages that arrived in one stretch of time, by receive time. */
export interface Batch {
  readonly messages: readonly SourceMessage[];
  /** Nothing received before this instant is still to come. */
  readonly throughTime: bigint;
  /** The account of everything, with the last batch. */
  readonly truth: DemoTruth | undefined;
}

interface PendingMessage {
  readonly channelKey: number;
  readonly sample: Sample;
  readonly payload: Promise<MessageValue> | MessageValue;
}

interface Channel {
  readonly topic: Topic;
  readonly clock: StreamClock;
  readonly encode: (message: MessageValue) => Uint8Array;
}

const NANOS = 1e9;

/** Samples the world as the robot's streams do and delivers their messages in the order of arrival. */
export class Simulation {
  readonly #world: World;
  readonly #startTime: bigint;
  readonly #channels: readonly Channel[];
  readonly #sensors: Sensors;
  readonly #faults: MessageFaults;
  readonly #cameras: Readonly<Record<CameraName, Camera>>;
  #pending: PendingMessage[] = [];
  #stuck: StuckJoint | undefined;

  static async create(options: WorldOptions): Promise<Simulation> {
    return new Simulation(await World.create(options), options);
  }

  private constructor(world: World, options: WorldOptions) {
    const { seed, startTime } = options;
    this.#world = world;
    this.#startTime = startTime;
    this.#sensors = new Sensors(seed);
    this.#faults = new MessageFaults(seed, options.faults);
    this.#cameras = { front: new Camera('front', options), wrist: new Camera('wrist', options) };
    this.#channels = STREAMS.map((spec) => ({
      topic: spec.topic,
      clock: new StreamClock(spec, options),
      encode: createEncoder(spec.topic, messageSchema(spec.type)),
    }));
  }

  /** Carries on by this long and gives what arrived meanwhile. Calls may overlap; each has its own stretch. */
  advance(forSecs: number): Promise<Batch> {
    const untilSecs = this.#world.timeSecs + forSecs;
    while (this.#world.timeSecs < untilSecs && !this.#world.isOver) this.#sampleAll(this.#world.step());
    // What is still under way at the end is lost with the robot: all streams end together.
    return this.#deliver(this.#world.timeSecs * NANOS, this.#world.isOver ? this.truth() : undefined);
  }

  /** The account so far. */
  truth(): DemoTruth {
    return this.#world.truth.finish(this.#world.timeSecs);
  }

  #sampleAll(step: Step): void {
    this.#channels.forEach(({ topic, clock }, channelKey) => {
      const untilNanos = step.after.timeSecs * NANOS;
      for (let sample = clock.next(untilNanos); sample; sample = clock.next(untilNanos)) {
        const drop = sample.faults.find(({ kind }) => kind === 'drop');
        const stampTime = this.#instant(sample.stampNanos);
        for (const fault of drop ? [drop] : sample.faults) this.#world.truth.touched(fault, stampTime);
        // Measured even when dropped, so that the noise of what follows does not depend on the drop.
        const payload = this.#report(topic, sample, this.#measure(topic, sample, step));
        if (!drop) this.#pending.push({ channelKey, sample, payload });
      }
    });
  }

  /** Pictures are drawn before this returns; only their compression goes on. */
  #measure(topic: Topic, sample: Sample, step: Step): Promise<MessageValue> | MessageValue {
    const stamp = nanosToStamp(this.#instant(sample.stampNanos));
    const state = stateAt(step.before, step.after, sample.instantNanos / NANOS);
    switch (topic) {
      case TOPICS.robotDescription:
        return { data: createUrdf() };
      case TOPICS.tfStatic:
        return fixedTransforms(stamp);
      case TOPICS.tf:
        return movingTransforms(stamp, state.qpos);
      case TOPICS.jointStates:
        return this.#sensors.jointState(stamp, state, this.#stuckJoint(sample, state));
      case TOPICS.wrench: {
        const saturation = sample.faults.find((fault) => fault.kind === 'force-saturation');
        return this.#sensors.wrench(stamp, state, saturation?.limitNewtons);
      }
      case TOPICS.tactile: {
        const pad = this.#world.posesAt(state)('fingertip_tactile');
        return this.#sensors.tactile(stamp, pad, this.#world.fingertipContacts());
      }
      case TOPICS.frontImage:
      case TOPICS.wristImage: {
        const isFront = topic === TOPICS.frontImage;
        const camera = this.#cameras[isFront ? 'front' : 'wrist'];
        const faults = sample.faults.filter(isPictureFault);
        const isSwapped = faults.some(({ kind }) => kind === 'swapped-camera');
        const place = isSwapped ? this.#cameras[isFront ? 'wrist' : 'front'] : camera;
        return camera.image(stamp, { scene: this.#world.sceneAt(state, place.frame), place }, faults);
      }
      case TOPICS.frontInfo:
        return this.#cameras.front.info(stamp);
      case TOPICS.wristInfo:
        return this.#cameras.wrist.info(stamp);
      case TOPICS.jointCommands:
        return jointCommand(stamp, step.command);
      case TOPICS.gripperCommand:
        return gripperCommand(stamp, step.command);
      case TOPICS.gripperState:
        return this.#sensors.gripperState(stamp, state);
      case TOPICS.diagnostics:
        return diagnostics(stamp, state, step.command);
    }
    topic satisfies never;
  }

  /** What is sent of what was measured. */
  #report(
    topic: Topic,
    { faults, instantNanos }: Sample,
    measured: Promise<MessageValue> | MessageValue,
  ): Promise<MessageValue> | MessageValue {
    return measured instanceof Promise
      ? measured
      : this.#faults.apply(measured, faults, { topic, secs: instantNanos / NANOS });
  }

  /** The encoder sticks at what it read first under the fault. */
  #stuckJoint({ faults }: Sample, { qpos }: State): StuckJoint | undefined {
    const fault = faults.find(({ kind }) => kind === 'stuck-joint');
    if (fault?.kind !== 'stuck-joint') {
      this.#stuck = undefined;
    } else if (this.#stuck?.joint !== fault.joint) {
      this.#stuck = { joint: fault.joint, position: qpos[JOINTS.indexOf(fault.joint)]! };
    }
    return this.#stuck;
  }

  async #deliver(throughNanos: number, truth: DemoTruth | undefined): Promise<Batch> {
    const arrived = this.#pending
      .filter(({ sample }) => sample.logNanos <= throughNanos)
      .sort((a, b) => a.sample.logNanos - b.sample.logNanos);
    this.#pending = this.#pending.filter(({ sample }) => sample.logNanos > throughNanos);
    const messages = arrived.map(async ({ channelKey, sample, payload }): Promise<SourceMessage> => {
      const encoded = this.#channels[channelKey]!.encode(await payload);
      return {
        channelKey,
        logTime: this.#instant(sample.logNanos),
        publishTime: this.#instant(sample.publishNanos),
        data: encoded.slice(), // alone in its own ArrayBuffer, as the sink's to transfer
      };
    });
    return {
      messages: await Promise.all(messages),
      throughTime: this.#instant(Math.round(throughNanos)),
      truth,
    };
  }

  #instant(nanos: number): bigint {
    return this.#startTime + BigInt(nanos);
  }
}
