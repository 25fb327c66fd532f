import type { MessageValue } from '../../schemas/message.ts';
import type { Stamp } from '../../schemas/time.ts';
import type { Command } from './controller.ts';
import { JOINTS } from './robot-model.ts';
import type { State } from './state.ts';

const HARDWARE = 'demo-arm';
const OK = 0;

/** diagnostic_msgs/msg/DiagnosticArray: what the robot believes of itself; it knows nothing of its faults. */
export function diagnostics(stamp: Stamp, state: State, { phase }: Command): MessageValue {
  const strain = Math.max(...JOINTS.map((_, i) => Math.abs(state.efforts[i]!)));
  return {
    header: { stamp, frame_id: '' },
    status: [
      status('arm', 'tracking', { phase, max_effort: strain.toFixed(2) }),
      status('ft_sensor', 'streaming', { temperature_celsius: (31 + state.timeSecs / 600).toFixed(2) }),
      status('cameras', 'streaming', { count: '2' }),
    ],
  };
}

function status(name: string, message: string, values: Readonly<Record<string, string>>): MessageValue {
  return {
    level: OK,
    name: `${HARDWARE}: ${name}`,
    message,
    hardware_id: HARDWARE,
    values: Object.entries(values).map(([key, value]) => ({ key, value })),
  };
}
