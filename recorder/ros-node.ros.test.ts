import { afterEach, describe, expect, it, vi } from 'vitest';
import { openRosNode, type RosNode } from './ros-node.ts';
import { missingRos, useOwnGraph } from './ros-test-robot.ts';

const reason = missingRos();
if (reason) console.log(`Tests against a ROS 2 graph are skipped. ${reason}`);
useOwnGraph();

const TRIGGER = 'std_srvs/srv/Trigger';
const nodes: RosNode[] = [];
afterEach(() => {
  for (const node of nodes.splice(0)) node.close();
});

async function open(name: string, onFault = vi.fn()): Promise<{ node: RosNode; onFault: typeof onFault }> {
  const node = await openRosNode({ name, onFault });
  nodes.push(node);
  return { node, onFault };
}

describe.skipIf(reason)('openRosNode()', () => {
  it('answers calls of a service, now and later', async () => {
    const { node: server, onFault } = await open('server');
    const { node: client } = await open('client');
    server.serve('~/now', TRIGGER, () => ({ success: true, message: 'at once' }));
    server.serve('~/later', TRIGGER, async () => ({ message: 'later' }));
    expect(await client.call('/server/now', TRIGGER, {}, 5000)).toEqual({
      success: true,
      message: 'at once',
    });
    expect(await client.call('/server/later', TRIGGER, {}, 5000)).toEqual({
      success: false,
      message: 'later',
    });
    expect(onFault).not.toHaveBeenCalled();
  });

  it('keeps what a handler throws away from the binding, which would abort the process', async () => {
    const { node: server, onFault } = await open('server');
    const { node: client } = await open('client');
    const fault = new RangeError('in the handler');
    server.serve('~/throw', TRIGGER, () => {
      throw fault;
    });
    server.serve('~/reject', TRIGGER, () => Promise.reject(fault));
    for (const name of ['/server/throw', '/server/reject']) {
      await expect(client.call(name, TRIGGER, {}, 500)).rejects.toThrow(/timeout/i);
    }
    expect(onFault.mock.calls).toEqual([[fault], [fault]]);
  });

  it('gives up a call that nobody answers', async () => {
    const { node } = await open('client');
    await expect(node.call('/nobody/here', TRIGGER, {}, 200)).rejects.toThrow(/timeout/i);
  });

  it('does nothing of what is still called after close()', async () => {
    const { node } = await open('server');
    const advertisement = node.advertise('/state', 'std_msgs/msg/String', {
      reliability: 'reliable',
      durability: 'volatile',
      depth: 1,
    });
    const service = node.serve('~/now', TRIGGER, () => ({}));
    node.close();
    advertisement.publish(Uint8Array.of(0, 1, 0, 0, 1, 0, 0, 0, 0));
    advertisement.close();
    service.close();
  });
});
