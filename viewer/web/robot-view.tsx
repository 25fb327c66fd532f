import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodeFacts } from '../api.ts';
import { decoderOf } from './decoders.ts';
import type { Replay } from './replay.ts';
import type { RobotScene } from './robot-scene.ts';

/** The topic that carries the robot's URDF; undefined where the episode has none. */
export function descriptionTopic({ streams }: EpisodeFacts): string | undefined {
  return streams.find(
    ({ topic, type, messageCount }) =>
      /(^|\/)robot_description$/.test(topic) && /^std_msgs\/(msg\/)?String$/.test(type) && messageCount > 0,
  )?.topic;
}

interface Props {
  readonly facts: EpisodeFacts;
  readonly replay: Replay;
  /** The topic of its URDF. */
  readonly topic: string;
}

/** The robot as its joints stood at the instant shown. */
export function RobotView({ facts, replay, topic }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hint, setHint] = useState('');

  useEffect(() => {
    const positions = new Map<string, number>();
    let scene: RobotScene | undefined;
    let isClosed = false;
    const decode = (each: string) => {
      const channel = replay.state.channels.find((channel) => channel.topic === each);
      return channel && decoderOf(channel);
    };
    const show = async (urdf: string) => {
      const { createRobotScene } = await import('./robot-scene.ts');
      if (isClosed || !canvas.current || scene) return;
      scene = createRobotScene(canvas.current, urdf);
      scene.pose(positions);
      const { missingMeshes } = scene;
      if (missingMeshes > 0) setHint(`${missingMeshes} meshes are not part of the recording`);
    };
    const ends = facts.streams
      .filter(
        ({ type, role, messageCount }) => /JointState$/.test(type) && role !== 'command' && messageCount > 0,
      )
      .map((stream) =>
        replay.onMessage(stream.topic, ({ payload }) => {
          const { name, position } = decode(stream.topic)?.(payload) ?? {};
          if (!Array.isArray(name) || !(position instanceof Float64Array)) return;
          for (const [i, joint] of name.entries()) positions.set(String(joint), position[i] ?? 0);
          scene?.pose(positions);
        }),
      );
    ends.push(
      replay.onMessage(topic, ({ payload }) => {
        const urdf = decode(topic)?.(payload).data;
        show(String(urdf)).catch((error: Error) => setHint(`cannot be drawn here: ${error.message}`));
      }),
    );
    return () => {
      isClosed = true;
      for (const end of ends) end();
      scene?.close();
    };
  }, [facts, replay, topic]);
  return (
    <figure class="robot">
      <canvas ref={canvas} role="img" aria-label="Robot in 3D" />
      <figcaption>
        <span>robot</span>
        {hint && <span class="hint">{hint}</span>}
      </figcaption>
    </figure>
  );
}
