import { readContract } from '../../schemas/contract-file.ts';

/** `kinescribe contract check`: says what a contract asks for, or every rule it breaks with its line. */
export async function contractCheck(files: readonly string[]): Promise<number> {
  for (const file of files) {
    const { contract, digest } = await readContract(file);
    const streams = Object.entries(contract.streams);
    const features = Object.entries(contract.features);
    console.log(
      `${file}: contract "${contract.name}" for ${contract.robot.model} is sound (${digest.slice(0, 19)}…)`,
    );
    for (const [name, { topic, role, type, rateHz }] of streams) {
      console.log(
        `  stream  ${name}: ${topic} ${type}, ${role}${rateHz === undefined ? '' : `, ${rateHz} Hz`}`,
      );
    }
    for (const [key, feature] of features) {
      const shape =
        feature.kind === 'vector' ? feature.shape.join('×') : `${feature.height}×${feature.width}×3`;
      console.log(
        `  feature ${key}: ${shape} from "${feature.stream}", ${feature.align} within ${feature.toleranceSecs} s`,
      );
    }
    const { tickRateHz, clock, observationSteps, horizon } = contract.samples;
    console.log(
      `  samples ${tickRateHz} Hz on the ${clock} clock, ${observationSteps} observed, horizon ${horizon}`,
    );
  }
  return 0;
}
