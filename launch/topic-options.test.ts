import { describe, expect, it } from 'vitest';
import { UsageError } from '../schemas/errors.ts';
import { contractOfNothing, recordedTopics, topicPatterns } from './topic-options.ts';

describe('recordedTopics()', () => {
  const { contract: nothing } = contractOfNothing({ all: true });
  const contract = {
    ...nothing,
    streams: {
      joints: {
        topic: '/joints',
        role: 'motion',
        type: 'sensor_msgs/msg/JointState',
        required: true,
        toleratedLoss: 0,
      },
    },
  } as const;

  it.each<[Record<string, string | boolean>, string[]]>([
    [{}, ['/joints']],
    [{ all: true }, ['/joints', '/tf', '/camera/image']],
    [{ topics: 'camera' }, ['/joints', '/camera/image']],
    [{ all: true, exclude: 'camera|joints' }, ['/joints', '/tf']],
  ])('takes the contract and %j', (options, expected) => {
    const wanted = recordedTopics(options, contract);
    expect(['/joints', '/tf', '/camera/image'].filter((topic) => wanted.has(topic))).toEqual(expected);
  });
});

describe('contractOfNothing()', () => {
  it('has the task that was given, and no stream', () => {
    const { contract } = contractOfNothing({ topics: 'tf', task: 'tidy "up" the desk' });
    expect(contract.episode.tasks).toEqual(['tidy "up" the desk']);
    expect(contract.streams).toEqual({});
  });

  it('is refused where nothing says what to record', () => {
    expect(() => contractOfNothing({ exclude: 'camera' })).toThrow(UsageError);
  });
});

describe('topicPatterns()', () => {
  it('names the option that is no regular expression', () => {
    expect(() => topicPatterns({ exclude: '(' })).toThrow(/--exclude "\("/);
  });
});
