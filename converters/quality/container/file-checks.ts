import type { Check } from '../check.ts';
import type { CheckedStream } from '../subject.ts';
import { explainedBy } from '../time/explained-gaps.ts';
import { mayBePeriodic, type Rhythm, rhythmOf } from '../time/rhythm.ts';

const MOST_PLACES = 5;

/** Checks of the file as a file, and of what the episode says of itself. */
export const FILE_CHECKS: readonly Check[] = [
  {
    id: 'C01',
    title: 'file integrity',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'places',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'The disk failed, the file was cut off while it was copied, or a program changed it.',
      formula:
        'Places that break the MCAP format or a CRC: magic, chunks, messages, attachments, summary, footer.',
      remedy: 'Copy the file again from the robot; else "kinescribe recover" saves what is readable.',
      example: '2 damaged places, the first: chunk at byte 81920 does not match its CRC',
      source: 'MCAP specification',
    },
    watch: () => ({
      *findings(_, facts) {
        if (!facts) return;
        const { damages } = facts;
        const reason =
          damages.length > 0
            ? `${damages.length} damaged places, the first: ${damages[0]}`
            : 'every checksum is right';
        yield { value: damages.length, evidence: { damages: damages.slice(0, MOST_PLACES) }, reason };
      },
    }),
  },
  {
    id: 'C06',
    title: 'recorder drops',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'share',
    limits: { warn: 0, fail: 0.005, validated: false },
    explain: {
      cause: 'The disk or the processor of the recording machine cannot keep up: the queue was full.',
      formula: 'Messages that the recorder refused / messages that arrived, per topic, of its own account.',
      remedy: 'A faster disk, less load on the machine, or a larger queue.',
      example: 'front_camera: the recorder refused 0.80 % of its messages',
      source: 'the recorder’s ledger; limit of our own',
    },
    watch: () => {
      const refused = new Map<CheckedStream, { count: number; first: bigint; last: bigint }>();
      const streams = new Map<string, { readonly stream: CheckedStream; arrived: number }>();
      return {
        wants: () => true,
        observe({ stream }) {
          const known = streams.get(stream.topic);
          if (known) known.arrived++;
          else streams.set(stream.topic, { stream, arrived: 1 });
        },
        refused(stream, logTime) {
          const known = refused.get(stream);
          if (known) Object.assign(known, { count: known.count + 1, last: logTime });
          else refused.set(stream, { count: 1, first: logTime, last: logTime });
        },
        *findings(_, facts) {
          if (facts) {
            if (!facts.ledger) {
              yield { status: 'not_assessed', reason: 'the file holds no account of its recorder' };
              return;
            }
            const full = facts.ledger.losses.filter(({ cause }) => cause === 'queue-full');
            for (const { stream, arrived } of streams.values()) {
              const own = full.filter(({ topic }) => topic === stream.topic);
              const count = own.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
              const [first] = own;
              yield { stream, ...dropped(count, arrived + count), ...(first && { window: windowOf(first) }) };
            }
            return;
          }
          for (const [stream, { count, first, last }] of refused) {
            const arrived = streams.get(stream.topic)?.arrived ?? 0;
            yield { stream, ...dropped(count, arrived), window: { startTime: first, endTime: last + 1n } };
          }
        },
      };
    },
  },
  {
    id: 'C07',
    title: 'explained gaps',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: 'gaps',
    explain: {
      cause:
        'The recorder itself refused messages, a part of the file was damaged, or the operator marked a pause.',
      formula:
        'Gaps of T07 that overlap a counted loss of the recorder, or lie in a marked pause. They are boundaries of segments, not defects of the robot.',
      remedy: 'See C06 and C01.',
      example: 'wrench: 2 gaps are explained (queue-full)',
      source: 'tracecheck',
    },
    watch: (subject) => {
      const rhythms = new Map<CheckedStream, Rhythm>();
      return {
        wants: mayBePeriodic(subject),
        observe(observation) {
          const rhythm = rhythms.get(observation.stream) ?? rhythmOf(observation.stream);
          rhythms.set(observation.stream, rhythm);
          rhythm.add(observation);
        },
        *findings(now, facts) {
          if (!facts) return;
          for (const [stream, rhythm] of rhythms) {
            const limitSecs = stream.contract?.maxGapSecs ?? 3 * (rhythm.period ?? Number.POSITIVE_INFINITY);
            const context = { stream, subject, limitSecs, now, facts };
            const own = rhythm
              .gaps()
              .filter(({ secs }) => secs > limitSecs)
              .map((gap) => ({ gap, cause: explainedBy(gap, context) }))
              .filter(({ cause }) => cause !== undefined);
            const [first] = own;
            if (!first) continue;
            const causes = [...new Set(own.map(({ cause }) => cause))].join(', ');
            const reason = `${own.length} gaps are explained (${causes})`;
            yield { status: 'info', value: own.length, stream, window: windowOf(first.gap), reason };
          }
        },
      };
    },
  },
  {
    id: 'C10',
    title: 'six-part record',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: 'parts missing',
    explain: {
      cause: 'The take was recorded without saying what it is, or its outcome was never given.',
      formula: 'Which of body, action, task, scene, trace and outcome the episode lacks.',
      remedy: 'Name robot, task and scene when recording; say the outcome at the end of every take.',
      example: 'it lacks scene and outcome',
      source: 'ISO/WD 26264-1',
    },
    watch: (subject) => {
      let trace = false;
      let command = false;
      return {
        wants: () => true,
        observe({ stream }) {
          trace = true;
          command ||= stream.role === 'command';
        },
        *findings(_, facts) {
          if (!facts) return;
          const hasAction =
            command || Object.keys(subject.contract?.features ?? {}).some((key) => /^action/.test(key));
          const parts = {
            body: Boolean(facts.info?.robot),
            action: hasAction,
            task: Boolean(facts.info?.task),
            scene: Boolean(facts.info?.scene),
            trace,
            outcome: facts.labels.outcome !== undefined,
          };
          const missing = Object.entries(parts).flatMap(([part, is]) => (is ? [] : [part]));
          const reason = missing.length > 0 ? `it lacks ${missing.join(', ')}` : 'all six parts are there';
          yield {
            status: missing.length > 0 ? 'info' : 'pass',
            value: missing.length,
            evidence: { missing },
            reason,
          };
        },
      };
    },
  },
  {
    id: 'C13',
    title: 'action semantics',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: '',
    explain: {
      cause: 'The contract does not say what the numbers of an action mean.',
      formula:
        'Every feature "action…" of the contract has an actionSpace and a unit, its stream a rateHz; for ee_abs and ' +
        'ee_delta the messages, or the transform it is made of, name a frame. Without, checks of actions say nothing.',
      remedy:
        'Add "actionSpace: abs_pos" (or delta_pos, vel, torque, ee_abs, ee_delta) and "unit" to the feature, "rateHz" to ' +
        'its stream; fill in header.frame_id where poses are commanded.',
      example: 'action: it has no actionSpace',
      source: 'deepen-grade; Kalanos',
    },
    watch: (subject) => {
      const frames = new Map<string, string>();
      const actions = Object.entries(subject.contract?.features ?? {}).flatMap(([key, feature]) =>
        feature.kind === 'vector' && /^action/.test(key) ? [[key, feature] as const] : [],
      );
      return {
        wants: ({ name }) => actions.some(([, { stream }]) => stream === name),
        observe({ stream: { name }, value }) {
          const { frame_id: frame } = (value?.header ?? {}) as { readonly frame_id?: string };
          if (frame) frames.set(name, frame);
        },
        *findings(_, facts) {
          if (!facts) return;
          if (actions.length === 0) {
            yield { status: 'not_assessed', reason: 'no contract names a feature "action"' };
          }
          for (const [key, { actionSpace, unit, stream, transform }] of actions) {
            const frame = transform?.target ?? frames.get(stream);
            const isOfPoses = actionSpace === 'ee_abs' || actionSpace === 'ee_delta';
            const lacks = [
              ...(actionSpace ? [] : ['actionSpace']),
              ...(unit ? [] : ['unit']),
              ...(subject.contract?.streams[stream]?.rateHz ? [] : ['rateHz']),
              ...(isOfPoses && !frame ? ['frame'] : []),
            ];
            const reason =
              lacks.length > 0 ? `it has no ${lacks.join(' and no ')}` : 'what it means is declared';
            const status = lacks.length > 0 ? 'info' : 'pass';
            yield { status, channel: key, ...(frame && { evidence: { frame } }), reason };
          }
        },
      };
    },
  },
];

function dropped(count: number, arrived: number) {
  const value = arrived > 0 ? count / arrived : 0;
  const reason = `the recorder refused ${(value * 100).toFixed(2)} % of its messages`;
  return { value, evidence: { refused: count, arrived }, reason };
}

function windowOf({ startTime, endTime }: { readonly startTime: bigint; readonly endTime: bigint }) {
  return { startTime, endTime };
}
