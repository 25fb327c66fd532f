import { describe, expect, it } from 'vitest';
import { chooseTopics, type TopicChoice } from './topic-choice.ts';

const TOPICS = ['/joints', '/arm/camera', '/head/camera', '/arm/_hidden', '/_internal'];
const named = new Set(['/joints', '/_internal']);

describe('chooseTopics()', () => {
  it.each<[string, TopicChoice, string[]]>([
    ['nothing', {}, []],
    ['names alone, hidden ones too', { named }, ['/joints', '/_internal']],
    ['all but hidden ones', { all: true }, ['/joints', '/arm/camera', '/head/camera']],
    ['all and the named', { all: true, named }, ['/joints', '/arm/camera', '/head/camera', '/_internal']],
    ['a pattern anywhere in the name', { pattern: /camera/ }, ['/arm/camera', '/head/camera']],
    ['an anchored pattern', { pattern: /^\/arm/ }, ['/arm/camera']],
    ['all but a pattern', { all: true, exclude: /camera$/ }, ['/joints']],
    ['a pattern but another', { pattern: /camera/, exclude: /head/ }, ['/arm/camera']],
    ['the named whatever is excluded', { named, all: true, exclude: /./ }, ['/joints', '/_internal']],
  ])('takes %s', (_name, choice, expected) => {
    const wanted = chooseTopics(choice);
    expect(TOPICS.filter((topic) => wanted.has(topic))).toEqual(expected);
  });
});
