import type { Contract } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';

/**
 * Short names of the features, for formats whose trainers take each name for that of a network module, which
 * must not hold dots: `observation.state` is `state`, `observation.images.front` is `front`, `action.gripper`
 * is `action_gripper`. Where a short name is taken, by the format or by a feature before, the whole key with "_" for
 * dots stands in: `observation_state`.
 *
 * @param taken names that the format itself uses.
 * @throws {ConvertError} when that is taken too.
 */
export function plainNames(
  { features }: Contract,
  { format, taken = [] }: { readonly format: string; readonly taken?: readonly string[] },
): ReadonlyMap<string, string> {
  const owners = new Map(taken.map((name) => [name, `a part of ${format}`]));
  const names = new Map<string, string>();
  for (const key of Object.keys(features)) {
    const [short, whole] = [key.replace(/^observation\.(images?\.)?/, ''), key].map((each) =>
      each.replaceAll('.', '_'),
    );
    const name = owners.has(short!) ? whole! : short!;
    const owner = owners.get(name);
    if (owner !== undefined) {
      throw new ConvertError(
        `Cannot write ${format}: feature "${key}" would be named "${name}" like ${owner}. Rename it in the contract.`,
      );
    }
    owners.set(name, `feature "${key}"`);
    names.set(key, name);
  }
  return names;
}

/** Whether a feature is what a policy puts out; all others are what it sees. */
export function isAction(key: string): boolean {
  return key === 'action' || key.startsWith('action.');
}
