import { nanosToSecs } from '../../../schemas/time.ts';
import type { Check } from '../check.ts';
import type { CheckedStream } from '../subject.ts';
import { EPISODE_MOTION_CHECKS } from './motion-checks.ts';
import { robustZ } from './motion-profile.ts';
import { START_STATE } from './start-check.ts';
import { INTERVENTION } from './steps.ts';
import { TASK_CHECKS } from './task-checks.ts';

const FEWEST_PEERS = 8;
const SHORTEST_SECS = 1;
const FEWEST_FRAMES = 15;
/** Durations of one task that differ by less than this factor are alike. */
const DURATION_FLOOR = Math.log(1.1);
const PLACEHOLDER = /^(test\d*|todo|asdf|x{2,}|tbd|n\/a|na|none|default|task|foo|bar)$/i;
/** DiagnosticStatus.ERROR and STALE. */
const ERROR_LEVEL = 2;

const FURTHER_CHECKS: readonly Check[] = [
  {
    id: 'E01',
    title: 'too short',
    claim: 'DEFECT',
    runs: 'take',
    unit: 's',
    limits: { bad: 'below', validated: true },
    explain: {
      cause: 'The take was started and stopped by mistake.',
      formula:
        'Fails below 1 s or 15 frames of the contract, warns below one window of it (observationSteps and horizon).',
      remedy: 'Discard it.',
      example: 'the episode lasts 0.7 s',
      source: 'lerobot-lint; lerobot-doctor',
    },
    watch: (subject) => ({
      *findings(now, facts) {
        if (!facts) return;
        const value = nanosToSecs(now - subject.startTime);
        const { tickRateHz, observationSteps, horizon } = subject.contract?.samples ?? {
          tickRateHz: FEWEST_FRAMES,
          observationSteps: 1,
          horizon: 1,
        };
        const fail = Math.max(SHORTEST_SECS, FEWEST_FRAMES / tickRateHz);
        const warn = Math.max(fail, (observationSteps + horizon) / tickRateHz);
        yield { value, limits: { warn, fail }, reason: `the episode lasts ${value.toFixed(1)} s` };
      },
    }),
  },
  {
    id: 'E02',
    title: 'duration outlier',
    claim: 'RISK',
    runs: 'library',
    unit: 'z',
    limits: { fail: 3.5, validated: false },
    explain: {
      cause: 'The take was stopped late or early, or the task went wrong.',
      formula: '|robust z| of log(duration) among the episodes of the same task.',
      remedy: 'Look at the episode; trim or discard it.',
      example: 'it lasts 41.0 s, the others of the task 12.3 s',
      source: 'score_lerobot_episodes (interquartile range); logarithm and MAD: our own',
    },
    watch: (subject) => ({
      *findings(now, facts) {
        if (!facts) return;
        const secs = nanosToSecs(now - subject.startTime);
        const others = facts.peers
          .filter(({ task }) => task === facts.info?.task)
          .map(({ durationSecs }) => Math.log(durationSecs))
          .sort((a, b) => a - b);
        if (others.length < FEWEST_PEERS) {
          const reason = `it needs ${FEWEST_PEERS} other episodes of the task, found ${others.length}`;
          yield { status: 'not_assessed', reason };
          return;
        }
        const value = Math.abs(robustZ(Math.log(secs), others, DURATION_FLOOR));
        const usual = Math.exp(others[others.length >> 1]!);
        const evidence = { peers: others.length, secs };
        const reason = `it lasts ${secs.toFixed(1)} s, the others of the task ${usual.toFixed(1)} s`;
        yield { value, evidence, reason };
      },
    }),
  },
  {
    id: 'E06',
    title: 'outcome missing',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: '',
    explain: {
      cause: 'Nobody said whether the take succeeded.',
      formula: 'No label "outcome" holds.',
      remedy: 'Say success or failure at the end of every take; it cannot be recovered later.',
      example: 'nobody said whether it succeeded',
      source: 'DROID',
    },
    watch: () => ({
      *findings(_, facts) {
        if (!facts) return;
        const { outcome } = facts.labels;
        if (outcome) yield { status: 'pass', reason: `its outcome is ${outcome.label.value}` };
        else yield { status: 'info', reason: 'nobody said whether it succeeded' };
      },
    }),
  },
  {
    id: 'E07',
    title: 'instruction missing or a placeholder',
    claim: 'RISK',
    runs: 'take',
    unit: '',
    limits: { warn: 0, validated: true },
    explain: {
      cause: 'The contract’s tasks were never filled in.',
      formula:
        'Empty, shorter than 3 characters, or one of test, todo, asdf, xxx, tbd, n/a: 1, else 0. It warns; the contract ' +
        'of a policy that reads the instruction makes it fail by "checks: { E07: { fail: 0 } }".',
      remedy: 'Write the instruction as you would say it to a person: "put the blue cup on the plate".',
      example: 'the instruction is "test"',
      source: 'lerobot-lint; Kalanos',
    },
    watch: (subject) => ({
      *findings(_, facts) {
        if (!facts) return;
        const task = (facts.info?.task ?? subject.task)?.trim() ?? '';
        const isEmpty = task.length < 3 || PLACEHOLDER.test(task);
        yield { value: isEmpty ? 1 : 0, reason: `the instruction is "${task}"` };
      },
    }),
  },
  {
    id: 'E10',
    title: 'faults of the robot',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'messages',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'The robot reported an error, an emergency stop or an abort while it was recorded.',
      formula: 'Messages of diagnostic_msgs/DiagnosticArray with a status of level ERROR or STALE.',
      remedy: 'Read the message; clear the fault; record again.',
      example: 'diagnostics: "arm: emergency stop" in 14 messages',
      source: 'ROS diagnostics (REP 107)',
    },
    watch: () => {
      let [messages, bad] = [0, 0];
      let first: { readonly stream: CheckedStream; readonly time: bigint; readonly text: string } | undefined;
      return {
        wants: ({ type }) => /\/DiagnosticArray$/.test(type),
        observe({ stream, value, logTime }) {
          messages++;
          const worst = statusesOf(value?.status).find(({ level }) => level >= ERROR_LEVEL);
          if (!worst) return;
          bad++;
          first ??= { stream, time: logTime, text: `${worst.name}: ${worst.message}` };
        },
        *findings() {
          if (messages === 0) return;
          const window = first && { startTime: first.time, endTime: first.time + 1n };
          const reason = first ? `"${first.text}" in ${bad} messages` : 'the robot reported no error';
          yield { value: bad, stream: first?.stream, window, evidence: { messages }, reason };
        },
      };
    },
  },
  {
    id: 'E11',
    title: 'intervention share',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: 'share',
    explain: {
      cause: 'A person took over from a policy.',
      formula: 'Time in marks called "intervention" / duration.',
      remedy: 'None: corrections are worth training on.',
      example: 'a person was in control 12 % of the time',
      source: 'LeRobot, DAgger',
    },
    watch: (subject) => ({
      *findings(now, facts) {
        if (!facts) return;
        const marks = facts.labels.marks.filter(({ label: { name } }) => name === INTERVENTION);
        if (marks.length === 0) {
          yield { status: 'not_assessed', reason: 'no mark says who was in control' };
          return;
        }
        const nanos = marks.reduce((sum, { label: { startTime, endTime } }) => sum + endTime - startTime, 0n);
        const value = Number(nanos) / Number(now - subject.startTime);
        const reason = `a person was in control ${(value * 100).toFixed(0)} % of the time`;
        yield { status: 'info', value, evidence: { marks: marks.length }, reason };
      },
    }),
  },
];

/** E01–E12, by id. */
export const EPISODE_CHECKS: readonly Check[] = [
  ...FURTHER_CHECKS,
  ...EPISODE_MOTION_CHECKS,
  START_STATE,
  ...TASK_CHECKS,
].sort((a, b) => (a.id < b.id ? -1 : 1));

interface DiagnosticStatus {
  readonly level: number;
  readonly name: string;
  readonly message: string;
}

function statusesOf(status: unknown): readonly DiagnosticStatus[] {
  return Array.isArray(status) ? status : [];
}
