import type { CheckRecord } from '../check.ts';
import { SAME_PATH, SAME_VIDEO_BITS, SIMILAR_PATH } from './near-duplicates.ts';
import { OUTLIER_Z } from './outliers.ts';

/** What only a library as a whole can show; found by comparing its episodes, not by watching one. */
export const LIBRARY_CHECKS: readonly CheckRecord[] = [
  {
    id: 'X01',
    title: 'copy of an episode',
    claim: 'DEFECT',
    runs: 'library',
    unit: '',
    explain: {
      cause: 'A file was copied under another name, or one recording was added twice.',
      formula: 'Equal SHA-256 of the file, or of all joint states and commands as float32.',
      remedy: 'Discard one of both before the episodes are split into training and test.',
      example: 'it is a copy of my-robot-0007',
      source: 'Kalanos (value digest); lerobot-doctor',
    },
  },
  {
    id: 'X02',
    title: 'path of another episode',
    claim: 'RISK',
    runs: 'library',
    unit: 'ranges',
    limits: { warn: SIMILAR_PATH, fail: SAME_PATH, bad: 'below', validated: false },
    explain: {
      cause: 'The same recording at another rate, or a replayed trajectory.',
      formula:
        'Idle ends left out, 64 points, joints over the library’s range (1 to 99 %): mean cost of a step along the best ' +
        'path in a band of 10 % (dynamic time warping).',
      remedy: 'Look at both; keep one where they are the same recording. A steady operator begins at 0.0115.',
      example: 'its path is that of my-robot-0007',
      source: 'own measurement on synthetic episodes',
    },
  },
  {
    id: 'X03',
    title: 'video of another episode',
    claim: 'RISK',
    runs: 'library',
    unit: 'bits',
    limits: { fail: SAME_VIDEO_BITS, bad: 'below', validated: true },
    explain: {
      cause: 'The same recording, encoded or cut anew.',
      formula:
        'Difference hashes of five pictures (0 to 100 %), bits that differ of 320, where the paths are alike, too.',
      remedy: 'Keep one of both.',
      example: 'its video is that of my-robot-0007',
      source: 'practice of image hashing',
    },
  },
  {
    id: 'X05',
    title: 'coverage of states and of the plan',
    claim: 'CHARACTERISTIC',
    runs: 'library',
    unit: 'cells',
    explain: {
      cause: 'Takes that all begin alike teach a policy one way only.',
      formula:
        'e to the entropy over cells of 0.1 rad of the joints’ space, of all states and of the first ones; episodes per ' +
        'target of plan.yaml.',
      remedy: 'Vary where the robot and the objects begin; record what the plan still lacks.',
      example: '40 episodes begin in effectively 3.1 cells',
      source: 'Kalanos; LeRobot’s advice on data (ten episodes per place)',
    },
  },
  {
    id: 'X08',
    title: 'balance',
    claim: 'CHARACTERISTIC',
    runs: 'library',
    unit: '',
    explain: {
      cause: 'Some tasks, objects, scenes or operators were recorded more often than others.',
      formula: 'Entropy over that of equal classes; classes with under 5 % of the episodes are named.',
      remedy: 'Record more of the small classes.',
      example: 'object: evenness 0.61; under 5 %: red cup',
      source: 'lerobot-lint (5 %); ISO/IEC 5259-2',
    },
  },
  {
    id: 'X10',
    title: 'outlier of its task',
    claim: 'RISK',
    runs: 'library',
    unit: 'z',
    limits: { fail: OUTLIER_Z, validated: false },
    explain: {
      cause: 'The task went another way, a sensor drifts, or several things are a little off at once.',
      formula:
        'Of 20 episodes of a task at least: values of up to 20 checks as robust z, their rank correlations, Mahalanobis ' +
        'distance as standard deviations; beyond 3.09 chance comes once in 1000.',
      remedy: 'Look at the values it names; discard the episode only where you see why.',
      example: 'its values differ from 57 other episodes of the task, most in K09/joints and E04',
      source: 'arXiv 2606.05588',
    },
  },
];
