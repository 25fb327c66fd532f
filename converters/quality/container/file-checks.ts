import type { Check } from '../check.ts';
import { isPictureType } from '../stream-role.ts';
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
    id: 'C11',
    title: 'camera calibration',
    claim: 'DEFECT',
    runs: 'take',
    unit: '',
    explain: {
      cause: 'The camera driver publishes an empty CameraInfo, or none at all.',
      formula:
        'K of CameraInfo: fx, fy > 0 and K not the identity. A camera without CameraInfo is only told.',
      remedy: 'Calibrate the camera and give its driver the file (camera_info_url).',
      example: 'front_info: its camera matrix is empty: fx 0, fy 0',
      source: 'deepen-grade',
    },
    watch: () => {
      const infos = new Map<
        CheckedStream,
        { readonly fx: number; readonly fy: number; readonly cx: number }
      >();
      const cameras = new Set<CheckedStream>();
      return {
        wants: ({ type }) => isPictureType(type) || /\/CameraInfo$/.test(type),
        observe({ stream, value }) {
          if (isPictureType(stream.type)) cameras.add(stream);
          else if (value && !infos.has(stream)) {
            const k = (value.k ?? value.K) as ArrayLike<number> | undefined;
            infos.set(stream, { fx: k?.[0] ?? 0, fy: k?.[4] ?? 0, cx: k?.[2] ?? 0 });
          }
        },
        *findings(_, facts) {
          if (!facts) return;
          for (const [stream, { fx, fy, cx }] of infos) {
            const isEmpty = !(fx > 0 && fy > 0);
            const isIdentity = fx === 1 && fy === 1 && cx === 0;
            const evidence = { fx, fy };
            if (isEmpty) {
              yield {
                status: 'fail',
                stream,
                evidence,
                reason: `its camera matrix is empty: fx ${fx}, fy ${fy}`,
              };
            } else if (isIdentity) {
              yield { status: 'fail', stream, evidence, reason: 'its camera matrix is the identity' };
            } else {
              yield {
                status: 'pass',
                stream,
                evidence,
                reason: `fx ${fx.toFixed(1)}, fy ${fy.toFixed(1)} pixels`,
              };
            }
          }
          if (cameras.size > infos.size) {
            const missing = cameras.size - infos.size;
            yield { status: 'info', reason: `${missing} of ${cameras.size} cameras have no CameraInfo` };
          }
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
        'Every feature "action…" of the contract has an actionSpace and a unit. Without, checks of actions say nothing.',
      remedy:
        'Add "actionSpace: abs_pos" (or delta_pos, vel, torque, ee_abs, ee_delta) and "unit" to the feature.',
      example: 'action: it has no actionSpace',
      source: 'deepen-grade; Kalanos',
    },
    watch: (subject) => ({
      *findings(_, facts) {
        if (!facts) return;
        const actions = Object.entries(subject.contract?.features ?? {}).filter(([key]) =>
          /^action/.test(key),
        );
        if (actions.length === 0) {
          yield { status: 'not_assessed', reason: 'no contract names a feature "action"' };
        }
        for (const [key, feature] of actions) {
          const lacks = [
            ...('actionSpace' in feature && feature.actionSpace ? [] : ['actionSpace']),
            ...('unit' in feature && feature.unit ? [] : ['unit']),
          ];
          const reason =
            lacks.length > 0 ? `it has no ${lacks.join(' and no ')}` : 'meaning and unit are declared';
          yield { status: lacks.length > 0 ? 'info' : 'pass', channel: key, reason };
        }
      },
    }),
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
